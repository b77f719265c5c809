"""The flow of requests: sending, pace, retries, and the circuit breaker."""
