"""Places smaller than a state: addresses, homes, facilities and postal codes."""
