"""Sound medical rows in languages that are not written in Latin letters: question and answer.

They were written for tests. No clinician has checked them. Belongs here: reading the rows. Does
not: what the gates must say of them (test_curate_rows).
"""

import json
from itertools import groupby
from operator import itemgetter
from pathlib import Path

_LINES = Path(__file__).with_suffix(".jsonl").read_text("utf-8").splitlines()

# By language: instruction, empty input, output.
SOUND_ROWS = {
    language: [(row["instruction"], "", row["output"]) for row in rows]
    for language, rows in groupby(map(json.loads, _LINES), key=itemgetter("language"))
}
