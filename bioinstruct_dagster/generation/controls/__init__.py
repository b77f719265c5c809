"""Prompt controls: which kinds of task the prompt requests, by share, and which ones rows show."""
