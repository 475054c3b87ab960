"""Whether estimates from logs are right."""
