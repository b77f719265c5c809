"""The one door to any language model: whoever asks a teacher anything opens a session here."""
