"""Replay: every observation stored once, windows of n transitions sampled. Kinds: ``uniform`` and ``prioritised``."""
