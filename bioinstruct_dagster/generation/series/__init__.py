"""The series of generation requests: which there are, and what each one shows and asks for."""
