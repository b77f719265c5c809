"""The words that recognisers need, looked up once in a text for all of them."""
