"""Metrics, intervals and tests over predictions; knows nothing of models."""
