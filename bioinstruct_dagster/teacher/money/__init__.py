"""Money and tokens: prices, caps, reservations, settlement, estimates."""
