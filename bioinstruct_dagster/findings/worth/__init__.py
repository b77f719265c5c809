"""Was a refresh worth it: adapters trained with and without the rows that it added."""
