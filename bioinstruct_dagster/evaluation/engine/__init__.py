"""Running a model over evaluation items."""
