"""The stand-in for the OpenAI API: a real HTTP server over recorded completions."""
