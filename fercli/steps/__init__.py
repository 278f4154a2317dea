"""One file per command: load artifacts, call the core, save artifacts."""
