"""The Hugging Face hub: a repository on it, a push of files in one commit, and failures in words."""
