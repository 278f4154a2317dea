"""Reading, drawing and checking pictures and feature tables."""
