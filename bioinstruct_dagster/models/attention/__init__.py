"""Several rows in one forward pass, each of which attends to its own tokens alone."""
