"""Details of one person that a note tells without a label: light contexts and telling forms."""
