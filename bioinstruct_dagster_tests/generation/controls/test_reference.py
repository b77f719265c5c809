"""Drawing and measuring, which take short cuts, compared with a plain implementation."""

import hashlib
import json
import math
import re
from functools import cache

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bioinstruct_dagster import sign_clauses, signs
from bioinstruct_dagster.generation.controls import drawing
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.settings import INPUTS

FIELDS = ("instruction", "input", "output")


# -- The plain way --


@cache
def plain_pattern(sign):
    """A sign's regular expression, which is searched in the whole text."""
    expression = sign[1:].removesuffix("/")
    if not sign.startswith("/"):
        each = (r"\s+".join(map(re.escape, words.split())) for words in sign.split("|"))
        expression = rf"(?<!\w)(?:{'|'.join(each)})(?!\w)".replace(r"\*", r"\w*")
    return re.compile(expression, re.IGNORECASE)


def plain_measure(controls, row, asked):
    shown = {}
    for one in controls.dimensions:
        text = "\n".join(row[field] for field in one.fields)
        words = len(row["input"].split())
        shown[one.id] = {
            value.id
            for value in one.values
            if any(plain_pattern(sign).search(text) for sign in value.signs)
            or (value.words and value.words[0] <= words <= value.words[1])
            or (asked.get(one.id) == value.id and not value.signs and not value.words)
        }
    return shown


def plain_lacks(shares, have, horizon):
    free, bounded = dict(shares), {}
    while True:
        part, rows = sum(free.values()), sum(have[value] for value in free)
        short = {value: free[value] / part * rows - have[value] for value in free}
        times = {value: 1 + short[value] / (free[value] * horizon) for value in free}
        beyond = [v for v in free if not drawing.LEAST_FACTOR <= times[v] <= drawing.MOST_FACTOR]
        if not beyond:
            return {**times, **bounded}
        furthest = max(beyond, key=lambda value: (abs(short[value]), value))
        bounded[furthest] = drawing.MOST_FACTOR if times[furthest] > 1 else drawing.LEAST_FACTOR
        del free[furthest]


def plain_first(key, dimension, weights):
    def ring(value):
        text = "\0".join([*map(str, key), dimension, value])
        drawn = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
        return -math.log((drawn + 1) / (2**64 + 1)) / weights[value]

    return min((value for value in weights if weights[value] > 0), key=ring)


class PlainDrawing:
    """Weighs all combinations of the paired values again for every task."""

    def __init__(self, controls):
        self.all = controls.dimensions
        tied = {dimension for pair in controls.pairs for dimension, _ in pair}
        self.tied = [one for one in self.all if one.id in tied]
        self.allowed = np.ones([len(one.shares) for one in self.tied])
        for pair in map(dict, controls.pairs):
            ends = (
                [*one.shares].index(pair[one.id]) if one.id in pair else ... for one in self.tied
            )
            self.allowed[tuple(slice(None) if end is ... else end for end in ends)] = 0
        self.base = {one.id: dict(one.shares) for one in self.all}
        for _ in range(drawing.FIT_ROUNDS):
            for axis, one in enumerate(self.tied):
                had, own = self.margin(one, self.weigh(self.base), axis), self.base[one.id]
                new = {v: had[v] and own[v] * one.shares[v] / had[v] for v in had}
                self.base[one.id] = {v: new[v] / sum(new.values()) for v in new}

    def weigh(self, weights):
        along = [np.array([*weights[one.id].values()]) for one in self.tied]
        return math.prod(np.ix_(*along), start=self.allowed)

    def margin(self, one, product, axis):
        summed = product.sum(axis=tuple(a for a in range(product.ndim) if a != axis))
        return dict(zip(one.shares, (summed / summed.sum()).tolist(), strict=True))

    def draw_all(self, run_seed, number, tasks, pool):
        drawn = []
        for task in range(tasks):
            weights = {}
            for one in self.all:
                earlier = [before[one.id] for before in drawn]
                asked = {value: earlier.count(value) for value in one.shares}
                have = {v: pool.get(one.id, {}).get(v, 0) + asked[v] for v in asked}
                horizon = drawing.POOL_HORIZON + drawing.POOL_HORIZON_PER_ROW * sum(have.values())
                in_pool = plain_lacks(one.shares, have, horizon)
                in_request = plain_lacks(one.shares, asked, drawing.REQUEST_HORIZON)
                own = self.base[one.id]
                weights[one.id] = {v: own[v] * in_pool[v] * in_request[v] for v in own}
            left, key = self.weigh(weights), (run_seed, number, task)
            for one in self.tied:
                weights[one.id] = self.margin(one, left, 0)
                left = left[[*one.shares].index(plain_first(key, one.id, weights[one.id]))]
            drawn.append({one.id: plain_first(key, one.id, weights[one.id]) for one in self.all})
        return drawn


# -- Measuring --


@pytest.fixture(scope="module")
def shipped():
    return read_controls(INPUTS / "controls.yaml")


@pytest.fixture(scope="module")
def recorded():
    """Every task of the recorded completions that can be read, and the seeds."""
    rows = [json.loads(line) for line in (INPUTS / "seed_tasks.jsonl").open(encoding="utf-8")]
    for line in (INPUTS / "recorded_completions.jsonl").open(encoding="utf-8"):
        try:
            rows += json.loads(json.loads(line)["content"] or "")["tasks"]
        except json.JSONDecodeError:
            continue
    return [row for row in rows if all(isinstance(row.get(field), str) for field in FIELDS)]


def test_recorded_rows_show_what_they_show_plainly(shipped, recorded):
    assert len(recorded) > 600
    for number, row in enumerate(recorded):
        asked = shipped.draw(1, number, 0, {}) if number % 2 else {}
        assert shipped.measure(row, asked) == plain_measure(shipped, row, asked), row


# Signs that could be misread, each with a text that shows it.
SIGNS = {
    "cardi*": "Cardiac",
    "Heart Failure": "heart \n failure",
    "heart|lung|T cell*": "t cells",
    "X-ray*": "x-rays",
    "pre*op": "preterm_op",
    "*itis": "colitis",
    "mmol/L": "5 MMOL/l",
    "+ve": "a +ve test",
    "p-value*": "p-values",
    "sick": "SIC\u212a",
    "kiss": "K\u0131\u017fs",
    "ménière*": "MÉNIÈRES",
    "µg": "5 μg",
    "İnek": "inek",
    "end-of-life": "end-of-life",
    "_x*": "_xy",
    r"/\bA[.)] .*\b(?-i:B)[.)] /": "a. x B) y",
    r"/(?:^|\n)(?:mr|mrs|the) [^.?]{2,9}\?/": "Do:\nThe lung?",
    r"/\A(?!Given\b)[a-z]+\b(?! \?)/": "Do it",
    r"/(?<!blood )\bcells?\b(?! count)/": "T cell",
    r"/\b(?:extract|list|)(?: all)? (?:dr[ua]gs?|names)+\b/": "list all drugs",
    r"/(?:(?:give|take) )?\b(x|y) \1\b/": "take x x",
    r"/(?x) \b heart \s+ (?# c) failure /": "HEART  failure",
    r"/[kſ]ick|\.\.\.|…/": "and so on …",
    r"/(?a:\bé?s\w+ick)/": "sxick",
    r"/(?:ab?|b?c|[^d])(?=e)e{2,3}/": "abeee",
}
PIECES = [
    *["cardiac", "CARDIO", "heart", "failure", "Failure", "lung", "lungs", "T", "cells", "blood"],
    *["X", "ray", "rays", "preop", "preterm-op", "pre", "op", "colitis", "mmol", "L", "ve", "p"],
    *[
        "value",
        "values",
        "sick",
        "SIC\u212a",
        "\u017fick",
        "k\u0131ss",
        "\u0130nek",
        "inek",
        "K\u0130SS",
    ],
    *[
        "M\u00c9NI\u00c8RE",
        "\u00b5g",
        "\u03bcg",
        "\u039cG",
        "end",
        "of",
        "life",
        "_x",
        "_xy",
        "A.",
        "B)",
    ],
    *["b.", "mr", "The", "Given", "Do", "it", "extract", "list", "all", "drugs", "names", "x", "y"],
    *["take", "kick", "abee", "cee", "e\u0301", "\u00df", "\u03a3", "\u03c2", "count"],
]
TEXTS = st.lists(
    st.tuples(
        st.sampled_from(PIECES) | st.text(max_size=3),
        st.sampled_from(
            [" ", " ", " ", "-", "/", "\n", "\u00a0", "", "+", "...", ". ", "? ", "  "]
        ),
    ),
    max_size=12,
).map(lambda parts: "".join(map("".join, parts)))


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Controls with a value for every kind of sign that could be read wrongly."""
    values = [
        {"id": f"v{number}", "share": 1, "ask": "a", "signs": [sign]}
        for number, sign in enumerate(SIGNS)
    ]
    signs = {"id": "signs", "measure": "signs", "values": values}
    only_input = {**signs, "id": "only_input", "fields": ["input"], "values": values[::-1]}
    path = tmp_path_factory.mktemp("controls") / "controls.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "dimensions": [signs, only_input]}), "utf-8")
    return read_controls(path)


@settings(deadline=None, max_examples=300)
@given(instruction=TEXTS, text=TEXTS)
def test_any_text_shows_what_it_shows_plainly(odd, instruction, text):
    row = {"instruction": instruction, "input": text, "output": ""}
    assert odd.measure(row, None) == plain_measure(odd, row, {})


@pytest.mark.parametrize(("sign", "text"), SIGNS.items())
def test_a_sign_is_found_in_its_example_only(odd, sign, text):
    value = f"v{[*SIGNS].index(sign)}"
    row = {"instruction": text, "input": "Given Q", "output": ""}
    assert value in odd.measure(row, None)["signs"]
    assert value not in odd.measure({**row, "instruction": "Given Q"}, None)["signs"]


def test_every_word_of_unicode_stays_a_word_when_folded():
    # The look-up by words relies on this; a new version of Python could break it.
    for number in range(0x110000):
        char = chr(number)
        if char not in sign_clauses.ASCII_FOLDS and re.match("[a-z0-9_]", char, re.IGNORECASE):
            assert char.isascii(), hex(number)
        low = sign_clauses.ASCII_FOLDS.get(char, char.lower())
        assert bool(re.fullmatch(r"\w", char)) == bool(re.fullmatch(r"\w", low)), hex(number)


def test_words_are_forgotten_when_there_are_too_many(odd, monkeypatch):
    monkeypatch.setattr(signs, "MOST_CACHED_WORDS", 10)
    for number in range(40):
        row = {"instruction": f"w{number} cardiac", "input": "", "output": ""}
        assert odd.measure(row, None)["signs"] == plain_measure(odd, row, {})["signs"]
    assert all(len(one._marks_by_word) <= 12 for one in odd._control_measure._signs.values())


# -- Drawing --


@pytest.fixture(scope="module")
def plain(shipped):
    return PlainDrawing(shipped)


def test_requests_that_fill_an_empty_pool_are_drawn_as_plainly(shipped, plain):
    kept = {one.id: dict.fromkeys(one.shares, 0.0) for one in shipped.dimensions}
    for number in range(60):
        tasks = shipped.draw_all(7, number, 5, kept)
        assert tasks == plain.draw_all(7, number, 5, kept)
        for task in tasks:
            for dimension, value in task.items():
                kept[dimension][value] += 0.8


def test_draws_against_the_recordings_are_as_plainly(shipped, plain, recorded):
    for rows in (40, 200, len(recorded)):
        pool = shipped.count((row, None) for row in recorded[:rows])
        for number in range(10):
            assert shipped.draw_all(3, number, 6, pool) == plain.draw_all(3, number, 6, pool)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), number=st.integers(0, 10**6), tasks=st.integers(1, 9))
def test_draws_against_any_pool_are_as_plainly(shipped, plain, data, number, tasks):
    counts = st.integers(0, 30) | st.floats(0, 1e4) | st.just(0)
    pool = {
        one.id: dict(zip(one.shares, data.draw(st.lists(counts)), strict=False))
        for one in shipped.dimensions
    }
    assert shipped.draw_all(1, number, tasks, pool) == plain.draw_all(1, number, tasks, pool)


@settings(deadline=None, max_examples=400)
@given(
    shares=st.lists(st.sampled_from([1, 1, 2, 5, 0.01, 40]), min_size=2, max_size=12),
    have=st.lists(st.integers(0, 40) | st.floats(0, 1e6), min_size=12, max_size=12),
    horizon=st.sampled_from([4, 100, 137.25]),
)
def test_what_is_lacking_is_bounded_in_the_plain_order(shares, have, horizon):
    names = [f"v{number}" for number in range(len(shares))]
    parts = [share / sum(shares) for share in shares]
    targets = drawing.DimensionTargets("d", tuple(names), tuple(parts))
    had = have[: len(shares)]
    plainly = plain_lacks(
        dict(zip(names, parts, strict=True)), dict(zip(names, had, strict=True)), horizon
    )
    found = drawing._demand_factors(targets, had, horizon)
    assert dict(zip(names, found, strict=True)) == plainly  # to the last bit


@settings(deadline=None, max_examples=400)
@given(
    shares=st.lists(st.sampled_from([1, 1, 1, 2, 5, 9]), min_size=2, max_size=32),
    asked=st.lists(st.integers(0, 31), min_size=1, max_size=9),
)
def test_a_request_is_spread_in_the_plain_way(shares, asked):
    names = [f"v{number}" for number in range(len(shares))]
    parts = [share / sum(shares) for share in shares]
    places = sorted(place % len(shares) for place in asked)
    had = {name: places.count(place) for place, name in enumerate(names)}
    plainly = plain_lacks(dict(zip(names, parts, strict=True)), had, drawing.REQUEST_HORIZON)
    found = drawing._request_factors(
        drawing.DimensionTargets("d", tuple(names), tuple(parts)), tuple(places)
    )
    assert dict(zip(names, found, strict=True)) == plainly
