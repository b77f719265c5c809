"""A small controls file with one dimension of every kind."""

import pytest

from bioinstruct_dagster.generation.controls.file import read_controls


@pytest.fixture
def small(tmp_path):
    """Four dimensions: signs in one field, signs, asked, and the input's length."""
    path = tmp_path / "controls.yaml"
    path.write_text(
        """
version: 1
dimensions:
  - id: kind
    measure: signs
    fields: [instruction]
    values:
      - {id: choose, share: 1, ask: "a choice\\n of four", signs: ['/\\bwhich\\b/']}
      - {id: write, share: 1, ask: a letter, signs: [write, draft*]}
      - {id: free, share: 2, ask: anything}
  - id: topic
    measure: signs
    values:
      - {id: heart, share: 1, ask: on the heart, signs: [heart failure, cardi*]}
      - {id: lung, share: 1, ask: on the lung, signs: [lung, lungs]}
  - id: audience
    measure: asked
    values:
      - {id: nurse, share: 1, ask: for nurses}
      - {id: patient, share: 1, ask: for patients}
  - id: length
    measure: input_words
    separator: "; "
    values:
      - {id: none, share: 1, ask: no input, words: [0, 0]}
      - {id: short, share: 1, ask: an input of at most 5 words, words: [1, 5]}
""",
        "utf-8",
    )
    return read_controls(path)
