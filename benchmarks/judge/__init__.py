"""The measurement of evaluation's judge by human scores, beside scores that need no judge."""
