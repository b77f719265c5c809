"""What instructions ask for: root verb and object, read by a language model or by word lists."""
