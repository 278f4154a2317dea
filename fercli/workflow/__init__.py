"""What several steps do alike: find inputs, take a protocol, write a run."""
