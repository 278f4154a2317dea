"""One frozen config per command: every value that can change a result, with its bounds as data."""
