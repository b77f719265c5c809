"""What a user does with trained adapters: list them, chat with one, merge it, serve it."""
