"""An existing instruction set in place of generation: reading its files, mapping its columns."""
