"""Giving data sets and adapters to others: pushes to the Hugging Face hub, and files of rows."""
