"""Replies: the tasks that a teacher wrote, read out of its text."""
