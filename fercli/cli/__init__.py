"""Typer commands, options and the console; the only place that prints."""
