"""Money and tokens: prices, caps, reservations, settlement and estimates."""
