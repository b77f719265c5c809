"""Replies: reading the tasks that a teacher wrote from the text of its reply."""
