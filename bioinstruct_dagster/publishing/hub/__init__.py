"""The Hugging Face hub: repositories, pushes in one commit, and failures in words."""
