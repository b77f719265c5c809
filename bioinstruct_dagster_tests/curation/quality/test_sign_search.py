"""A search that first looks up the words of a text finds what the plain expressions find."""

import json
import re
from pathlib import Path

import pytest
import yaml

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.gate import QUALITY_RULES, QualityGate
from bioinstruct_dagster.curation.quality.grounding import (
    check,
    missing_parts,
    plain_names,
    source_names,
    stand_ins,
    task_needs,
    two_things,
)
from bioinstruct_dagster.sign_clauses import SEARCHED_CHARACTERS, clauses_of
from bioinstruct_dagster.signs import SignSearch, WordedPattern, WordTest, pattern

FATES = Path(__file__).with_name("fates.jsonl")
RULES = yaml.safe_load(QUALITY_RULES.read_text("utf-8"))["rules"]
# The lists of a rule that are signs.
SIGN_LISTS = (
    "any", "unless", "asked", "unless_asked", "told", "given", "about", "each", "mere", "reads",
    "subjects", "titles_do", "spares", "results", "closings", "sequences",
)  # fmt: skip


def plain_search(signs, text):
    words = [sign for sign in signs if not sign.startswith("/")]
    expressions = [pattern("|".join(words))] if words else []
    expressions += [pattern(sign) for sign in signs if sign.startswith("/")]
    for one in expressions:
        if found := one.search(text, 0, SEARCHED_CHARACTERS):
            return found.group(0)
    return None


def texts():
    for line in FATES.read_text("utf-8").rstrip("\n").split("\n"):
        row = json.loads(line)
        yield from (row["instruction"], row["input"], row["output"])


@pytest.mark.parametrize("name", SIGN_LISTS)
def test_the_words_of_a_text_exclude_no_match(name):
    lists = [tuple(rule[name]) for rule in RULES if isinstance(rule.get(name), list)]
    assert lists
    some = [text for text in dict.fromkeys(texts()) if text]
    for signs in lists:
        search = SignSearch(signs)
        wrong = [text for text in some if search.search(text) != plain_search(signs, text)]
        assert wrong == []


@pytest.mark.parametrize(
    ("sign", "holds", "lacks"),
    [
        ("heart failure", "a HEART  failure", "failure of the heart"),
        ("cardi*", "a cardiac arrest", "endocarditis"),
        (r"/\bas an? ai\b/", "As an AI, I", "as an aid"),
        (r"/<\/s>/", "end.</s>", "end. s"),
        (r"/colou?r/", "discolored", "a col our"),
    ],
)
def test_a_search_finds_whole_words_beginnings_and_marks(sign, holds, lacks):
    assert SignSearch((sign,)).search(holds) is not None
    assert SignSearch((sign,)).search(lacks) is None
    assert SignSearch((sign,)).search("") is None


def test_an_expression_has_a_clause_for_each_part_that_every_match_holds():
    clauses = clauses_of(pattern(r"/(?:take|give) .{1,20} (?:daily|nightly)/"))
    assert {frozenset({"take ", "give "}), frozenset({" daily", " nightly"})} == set(clauses)


def module_patterns():
    """The expressions of the grounding rule that are tried only on texts that hold their words."""
    for module in (missing_parts, plain_names, source_names, stand_ins, task_needs, two_things):
        for name, value in vars(module).items():
            if isinstance(value, WordedPattern):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value


def test_no_match_of_an_expression_lacks_the_words_that_were_read_off_it():
    patterns = dict(module_patterns())
    assert len(patterns) > 30
    some = [text for text in dict.fromkeys(texts()) if text]
    some += [text.upper() for text in some[::3]] + [text.replace("s", "ſ") for text in some[::5]]
    for name, worded in patterns.items():
        wrong = [
            text
            for text in some
            if worded.pattern.search(text, 0, SEARCHED_CHARACTERS) and not worded.may_match(text)
        ]
        assert wrong == [], name


def test_a_worded_pattern_finds_what_its_expression_finds():
    worded = WordedPattern(r"\bdose of (\w+)", re.IGNORECASE)
    assert worded.search("A DOSE of aspirin").group(1) == "aspirin"
    assert worded.match("A dose of aspirin") is None
    assert worded.match("Dose of aspirin").group(1) == "aspirin"
    assert worded.fullmatch("dose of aspirin") is not None
    assert worded.fullmatch("dose of aspirin.") is None
    assert not worded.may_match("a dosage of aspirin")


def test_a_match_beyond_the_searched_part_of_a_text_is_found():
    far = "x " * SEARCHED_CHARACTERS + "dose of aspirin"
    assert WordedPattern(r"\bdose of (\w+)").search(far) is not None


def test_a_part_that_may_be_missing_makes_two_literals():
    assert clauses_of(pattern(r"/\bchat ?bot(?:s)?\b/")) == [
        frozenset({"\0chatbot\0", "\0chat bot\0", "\0chatbots\0", "\0chat bots\0"})
    ]


@pytest.mark.parametrize(
    "text", ["As of my latest data", "AS OF MY 2021", "as of\nmy latest", "my"]
)
def test_a_phrase_of_frequent_words_excludes_no_match(text):
    sign = r"/\bas of my (?:\d{4}|latest)\b/"
    found = pattern(sign).search(text)
    assert SignSearch((sign,)).search(text) == (found and found.group(0))


def rows_and_mixtures():
    """The rows, and rows whose input is that of another row, so that few of them are sound."""
    rows = [json.loads(line) for line in FATES.read_text("utf-8").rstrip("\n").split("\n")]
    texts = [RowTexts(row["instruction"], row["input"], row["output"]) for row in rows]
    yield from texts
    given = [row.input for row in texts if row.input]
    for place, row in enumerate(texts):
        other = given[place * 7 % len(given)]
        yield row._replace(input=other)
        yield row._replace(input=other[: 20 + place % 100])
        yield RowTexts(row.instruction.upper(), other.replace("s", "\u017f"), row.output)


def test_the_quick_tests_of_words_change_no_verdict(monkeypatch):
    rows = list(rows_and_mixtures())
    quick = QualityGate().check(rows)
    assert sum(said.rejected for said in quick) > len(rows) / 20
    monkeypatch.setattr(WordTest, "may_hold", lambda self, text: True)
    monkeypatch.setattr(WordedPattern, "may_match", lambda self, text: True)
    monkeypatch.setattr(check._GroundingCheck, "_has_sign", lambda self, text, told: True)
    assert QualityGate().check(rows) == quick


@pytest.mark.parametrize(
    ("words", "parts", "holds", "lacks"),
    [
        (("report",), (), "The REPORT's end.", "She reports."),
        (("x-ray",), (), "an X-ray", "an array"),
        ((), ("convert",), "reconverted", "a conversion"),
        (("sign",), (), "a \u017fign", "design"),
    ],
)
def test_a_word_test_is_passed_by_texts_with_a_word(words, parts, holds, lacks):
    test = WordTest(words, parts)
    assert test.may_hold(holds)
    assert not test.may_hold(lacks)


def test_a_long_text_passes_each_word_test():
    assert WordTest(("report",)).may_hold("a " * SEARCHED_CHARACTERS + "report")


def test_a_word_that_cannot_be_looked_up_is_refused():
    with pytest.raises(ValueError, match="no letter or digit"):
        WordTest((",",))
