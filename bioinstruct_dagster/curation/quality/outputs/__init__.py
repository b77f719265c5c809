"""Checks of how a reply went wrong: loops, echoes, endings, encodings."""
