"""What `fer bench` runs."""
