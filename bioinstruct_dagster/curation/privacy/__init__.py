"""The privacy gate: finds identifiers of persons in the texts of a row.

Other packages import `gate` alone, and only where rows are checked. The word lists are in
`words/*.yaml`, one file per subject. They are read when the modules with the patterns are imported.
"""
