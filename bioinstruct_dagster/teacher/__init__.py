"""The only way to a language model: a stage that needs a teacher opens a session here."""
