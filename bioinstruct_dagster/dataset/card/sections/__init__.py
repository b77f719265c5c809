"""The sections of the card, each from facts and measurements."""
