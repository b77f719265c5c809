"""The figures of the data set, as the paper's Figure 1 and beyond it."""
