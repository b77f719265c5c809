"""Batches of padded rows: what they hold, and that every option is in one of them."""

import random

from bioinstruct_dagster.evaluation.engine.padded_rows import PaddedRows, batches_of
from bioinstruct_dagster.evaluation.engine.requests import OptionRequest


def test_letters_need_one_row_and_texts_one_each():
    letters = OptionRequest("letters", (1, 2, 3), ((7,), (8,), (9,)))
    texts = OptionRequest("texts", (1, 2, 3), ((7, 8), (9, 9, 9)))
    batch = PaddedRows.of([letters, texts])
    assert batch.rows == ((1, 2, 3), (1, 2, 3, 7), (1, 2, 3, 9, 9))
    assert batch.targets[:4] == ((0, 2, 7), (0, 2, 8), (0, 2, 9), (1, 2, 7))
    assert batch.targets[4:] == ((1, 3, 8), (2, 2, 9), (2, 3, 9), (2, 4, 9))
    assert batch.option_tokens == (1, 1, 1, 2, 3)


def test_batches_keep_to_the_budget_and_lie_by_length():
    draw = random.Random(0)
    requests = [
        OptionRequest(
            str(at),
            tuple(draw.randrange(9) for _ in range(draw.randint(1, 60))),
            tuple((one, *range(draw.randint(0, 9))) for one in range(draw.randint(1, 5))),
        )
        for at in range(50)
    ]
    batches = list(batches_of(requests, tokens=400, predicting=150))
    widths = []
    for batch in batches:
        width = max(map(len, batch.rows))
        kept = width - min(at for _, at, _ in batch.targets)
        assert width * len(batch.rows) <= 400 or len(batch.requests) == 1
        assert kept * len(batch.rows) <= 150 or len(batch.requests) == 1
        widths.append(width)
    assert widths == sorted(widths, reverse=True)
    assert len(batches) < len(requests)
    assert sorted(one.key for batch in batches for one in batch.requests) == sorted(
        one.key for one in requests
    )
    assert all(
        len(batch.requests) == 1
        for batch in batches_of(requests, tokens=400, predicting=150, rows=1)
    )
    backwards = [batch.rows for batch in batches_of(requests[::-1], tokens=400, predicting=150)]
    assert backwards == [batch.rows for batch in batches]
