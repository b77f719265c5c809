"""The privacy gate: identifiers of persons.

`gate` is the way in; only it is imported from outside, and only where rows are checked. The word
lists stand in `words/*.yaml`, one file per subject, and are read when the modules with the patterns
are imported.
"""
