"""The Batch API: requests as files, at half the price, within a day."""
