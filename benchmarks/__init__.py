"""What livedqn can do, measured. Studies are modules, run from the checkout: ``python -m benchmarks.speed.run``."""
