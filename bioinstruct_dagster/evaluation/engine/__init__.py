"""Running a model on evaluation items."""
