"""How fast it is, beside peers that do the same work."""
