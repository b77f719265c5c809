"""Stage 2: new tasks, written by the teacher or imported from an existing instruction set."""
