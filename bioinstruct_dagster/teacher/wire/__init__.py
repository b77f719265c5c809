"""HTTP: sends a request to a server and reads its reply."""
