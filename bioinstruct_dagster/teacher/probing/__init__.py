"""Probing: the search for the form in which a server takes requests."""
