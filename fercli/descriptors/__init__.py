"""PHOG, LPQ, HOG and LBP: arrays of pixels in, vectors out."""
