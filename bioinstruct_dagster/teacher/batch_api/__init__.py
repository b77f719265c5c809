"""The Batch API: requests travel in files, at half the price, and are answered within a day."""
