"""Names of persons in running text: the patterns, where they are tried, and what is no person.

`persons` is the way in; `scan` of the privacy gate also asks `not_persons` about placeholders. Both
`patterns` and `not_persons` are tested with `persons`.
"""
