"""A script each, run with ``-m`` by the driver: it trains once and ends with one line of JSON."""
