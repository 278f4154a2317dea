"""One figure a file; the only place that imports matplotlib."""
