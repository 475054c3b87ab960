"""What it learns from logs."""
