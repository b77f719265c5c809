"""What is checked of a base model before an adapter is trained on it."""
