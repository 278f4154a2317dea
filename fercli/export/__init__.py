"""Runs and features in other programs' formats."""
