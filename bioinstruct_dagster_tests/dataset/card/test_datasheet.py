"""The data sheet: measured answers, and marks where only people can answer."""

from dataclasses import replace

from bioinstruct_dagster.dataset.build import DATASHEET_FILE
from bioinstruct_dagster.dataset.card.datasheet import OPEN, render_datasheet
from bioinstruct_dagster.dataset.card.facts import GateCounts, StoredFacts
from bioinstruct_dagster.dataset.card.statistics import text_statistics
from bioinstruct_dagster_tests.dataset.card.test_croissant import CARD

SIZES = {"test": 7, "train": 48, "validation": 5}


def sheet(rows, card=CARD):
    return render_datasheet(card, rows, SIZES, "f" * 64, text_statistics(rows))


def generated(rows):
    return [row | {"rehearsal": False} for row in rows]


def answer(text, question):
    return text.split(f"### {question}\n\n")[1].split("\n\n")[0]


def test_answers_are_measured(dataset_rows):
    text = sheet(generated(dataset_rows))
    assert answer(text, "Are there recommended splits?").endswith("train 48, validation 5, test 7.")
    assert answer(text, "When were they collected?") == "From 2026-01-03 to 2026-01-09."
    assert "The replies of teachers cost $0.2." in text
    assert "`cc-by-4.0`" in answer(text, "Under which licence is it given away?")
    assert "rejected 1" in answer(text, "Does it hold data about people?")
    assert "provider" in answer(text, "Do terms of others hold?")


def test_what_only_people_know_is_marked_and_counted(dataset_rows):
    text = sheet(generated(dataset_rows))
    assert f"{text.count(OPEN)} questions are left to people" in text
    seeds = "Who wrote the seed tasks, and from which sources?"
    for question in ("For what purpose was the set made?", seeds):
        assert answer(text, question) == OPEN
    without = sheet(generated(dataset_rows), replace(CARD, licence=""))
    assert without.count(OPEN) == text.count(OPEN) + 1


def test_a_gate_that_was_off_is_no_answer(dataset_rows):
    card = replace(CARD, stored=StoredFacts(privacy=GateCounts({"action": "off"})))
    said = answer(sheet(generated(dataset_rows), card), "Does it hold data about people?")
    assert said.startswith("Not known")


def test_an_import_has_no_seeds_and_no_teacher(dataset_rows):
    rows = [row | {"source": "import:a.csv", "rehearsal": False} for row in dataset_rows]
    text = sheet(rows, replace(CARD, stored=StoredFacts()))
    assert "seed" not in text
    assert OPEN in answer(text, "Where do imported rows come from?")
    assert "teacher's provider" not in text


def test_a_rehearsal_says_what_it_is_not_for(dataset_rows, built_dataset):
    written = (built_dataset.path / DATASHEET_FILE).read_text("utf-8")
    said = answer(written, "What should it not be used for?")
    assert "must not be published" in said
    assert "must not be published" not in sheet(generated(dataset_rows))
