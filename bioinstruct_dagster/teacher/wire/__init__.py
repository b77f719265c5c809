"""HTTP: how a request travels to a server, and how its reply comes back."""
