"""What reviewers hand in: their files, the judgements in them, and what was not read yet."""
