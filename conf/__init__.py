"""Wiring and presets, shipped as ``livedqn.conf``. No yaml here repeats a default: those stand in the signatures."""
