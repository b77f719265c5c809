"""The flow of requests: sending, pace, retries, and when to stop trying a server."""
