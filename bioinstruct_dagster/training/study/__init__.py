"""A study: a set of experiments that one run trains, each base model loaded once."""
