"""What it learns, beside baselines and peers."""
