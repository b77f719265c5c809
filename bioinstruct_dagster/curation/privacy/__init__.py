"""The privacy gate: identifiers of persons.

`gate` is the way in; only it is imported from outside, and only where rows are checked. The word
lists stand in `words/*.yaml`, one file per subject, and are read when the modules with the patterns
are imported. `scan`, `recognizers` and `kinds` are tested with the gate and over the synthetic
notes, `labels` and `marks` with `labelled`, `name_patterns` and `not_persons` with `persons`.
"""
