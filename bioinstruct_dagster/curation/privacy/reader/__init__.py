"""A trained reader of what may be an identifier: candidates, their features and a linear model."""
