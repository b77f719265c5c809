"""Results of single items that outlive a run: the files of the model process, and the store."""
