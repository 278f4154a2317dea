"""Facial expression recognition experiments that can be believed."""

import os

# Before anything loads OpenMP: with another process on one of two cores, threads that spin while they
# wait cost a factor of ten.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
