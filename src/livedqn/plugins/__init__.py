"""Installed plugins and their typed settings."""
