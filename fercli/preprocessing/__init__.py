"""The only code that fits columns: log shift, z-score, PCA, always on a fold's training rows."""
