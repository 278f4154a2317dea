"""Yardsticks from scikit-learn."""
