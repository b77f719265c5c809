"""Rows of a batch get the findings that they get alone."""

import json

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.batches.batch import LEAST_ROWS
from bioinstruct_dagster.curation.quality.gate import QualityGate
from bioinstruct_dagster.settings import INPUTS, PROJECT_ROOT
from bioinstruct_dagster.sign_clauses import ClauseIndex
from bioinstruct_dagster.signs import CLAUSES
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate

FRENCH = "Le patient est traité par des antibiotiques et la douleur est dans les jambes. "
FIXED = [
    ("Write a poem about the stock market.", "", "Shares rise and shares fall, traders shout."),
    ("Name the goal_keeper of the football_club.", "", "The goal_keeper of the team is Smith."),
    ("Explain machine learning to a bank clerk.", "", "Machine learning finds rules in numbers."),
    ("Answer the question of the patient.", "What is gout?", FRENCH.replace("é", "e") * 3),
    ("Answer the question of the patient.", "What is gout?", FRENCH.replace("é", "e") * 12),
    ("Answer the question of the patient.", "What is gout?", FRENCH),
    ("Summarize the article.", "An article on asthma", "Asthma narrows the airways."),
    ("Summarize the article.", "N/A", "Asthma narrows the airways."),
    ("Ｎame the ſtage of the tumour.", "<b>T2</b>", "Stage İI"),
    ("", "", ""),
    ("Describe the heart.", "[insert note]", "word " * 5_000),
]


def texts_of(path):
    rows = map(json.loads, path.read_text("utf-8").rstrip("\n").split("\n"))
    return [RowTexts(row["instruction"], row["input"], row["output"]) for row in rows]


def shipped_rows():
    fates = PROJECT_ROOT / "bioinstruct_dagster_tests/curation/quality/fates.jsonl"
    return [*texts_of(fates), *texts_of(INPUTS / "grounding_examples.jsonl")[::4]]


@pytest.fixture(scope="module")
def rows():
    return [RowTexts(*texts) for texts in FIXED] + shipped_rows()


def test_a_batch_has_the_findings_of_its_rows(rows):
    gate = shipped_gate()
    alone = [gate.check([row])[0] for row in rows]
    assert len(rows) > LEAST_ROWS
    assert gate.check(rows) == alone
    # Now all words are known; the order of the rows makes no difference.
    assert gate.check(rows[::-1]) == alone[::-1]
    found = {finding.rule for result in alone for finding in result.findings}
    assert found >= {"off_domain", "other_language", "ungrounded_input"}


def test_the_words_of_a_batch_have_the_bits_of_its_texts(rows):
    read = QualityGate()._reader.read(rows)
    assert sum(one is not None for one in read) > len(rows) / 2
    for row, one in zip(rows, read, strict=True):
        if one is not None:
            assert list(one.bits) == list(map(CLAUSES._find, row))


def test_most_rows_are_settled_and_no_row_that_a_rule_finds(rows):
    gate = shipped_gate()
    read = gate._reader.read(rows)
    settled = [one for one in read if one is not None and one.is_within and one.is_english]
    assert len(settled) > len(rows) / 2
    for result, one in zip(gate.check(rows), read, strict=True):
        found = {finding.rule for finding in result.findings}
        assert not (one and one.is_within and "off_domain" in found and not result.repairs)
        assert not (one and one.is_english and "other_language" in found and not result.repairs)


def test_few_rows_are_read_one_by_one():
    assert QualityGate()._reader.read([RowTexts("Define gout.", "", "A disease.")]) == [None]


def test_rows_outside_ascii_and_long_rows_are_read_one_by_one(rows):
    odd = [RowTexts("Define gout.", "", "é"), RowTexts("Define gout.", "", "word " * 5_000)]
    assert QualityGate()._reader.read([*rows, *odd])[-2:] == [None, None]


def test_clauses_that_are_added_later_count_in_the_next_batch(rows, monkeypatch):
    gate = QualityGate()
    plain = [row for row in rows if all(map(str.isascii, row))][: LEAST_ROWS + 10]
    assert gate._reader.read(plain) is not None
    index = ClauseIndex()
    monkeypatch.setattr("bioinstruct_dagster.curation.quality.batches.batch.CLAUSES", index)
    monkeypatch.setattr("bioinstruct_dagster.curation.quality.batches.known_words.CLAUSES", index)
    bit = index.bit(frozenset({"\0zebrafish\0"}))
    named = [row._replace(output="A zebrafish.") for row in plain]
    read = gate._reader.read(named)
    assert all(one is not None and one.bits[2] & bit for one in read)


def test_a_gate_without_the_rule_of_the_domain_reads_batches_too(rows, tmp_path):
    text = (INPUTS / "quality_rules.yaml").read_text("utf-8")
    before, _, after = text.partition("kind: domain\n")
    path = tmp_path / "rules.yaml"
    path.write_text(f"{before}kind: domain\n{after.replace('action: reject', 'action: off', 1)}")
    gate = QualityGate(path)
    alone = [gate.check([row])[0] for row in rows[:400]]
    assert gate.check(rows[:400]) == alone
    assert all(finding.rule != "off_domain" for one in alone for finding in one.findings)
