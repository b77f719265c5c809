"""Files of rows in the forms that trainers read, written row by row."""
