"""Stage 3: which raw rows may enter the data set, and what kind of task each is."""
