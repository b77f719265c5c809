"""What belongs together in a clause: a thing with its course, its amount or its side."""
