"""Reading replies: the answer in a reply, the JSON values in a text, and the answers of a list."""
