"""Stage 2: new tasks from the teacher, or from an existing instruction set."""
