"""What the words of many rows say at once, so that most rules need not read most rows."""
