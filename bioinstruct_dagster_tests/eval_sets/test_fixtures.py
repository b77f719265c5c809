"""The fixtures of the evaluation tasks: each loads by its task's file and holds usable items."""

import json
import random
from collections import Counter

import pytest

from bioinstruct_dagster.curation.contamination.gate import contamination_report
from bioinstruct_dagster.curation.contamination.limits import ComparedItems, read_limits
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.eval_sets.catalogue import EVALUATION_TASKS, read_tasks
from bioinstruct_dagster.eval_sets.item import options_of
from bioinstruct_dagster.eval_sets.items import collect_items, items_of
from bioinstruct_dagster.settings import INPUTS

CATALOGUE = read_tasks(EVALUATION_TASKS)
TASKS = {task.name: task for task in CATALOGUE.tasks}
# The demo asks a small model on a CPU about every item.
MOST_WORDS = 120
SHARING = ("bioasq", "mednli", "nli4ct", "phee", "craft_coreference")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    nothing = tmp_path_factory.mktemp("eval")
    return {
        name: items_of(task, nothing, fixtures=CATALOGUE.fixtures) for name, task in TASKS.items()
    }


def of_kind(kind):
    return [name for name, task in TASKS.items() if task.scoring.kind == kind]


def passages_of(item):
    return "\n".join((*item.context, item.question))


def test_every_task_has_a_fixture_and_every_fixture_a_task():
    assert sorted(task.fixture for task in TASKS.values()) == sorted(
        path.name for path in CATALOGUE.fixtures.iterdir()
    )


@pytest.mark.parametrize("name", TASKS)
def test_a_fixture_holds_20_to_24_short_items_with_ids_of_their_own(loaded, name):
    assert loaded[name].source == "fixture"
    items = loaded[name].items
    assert 20 <= len(items) <= 24
    assert len({item.id for item in items}) == len(items)
    assert len({(item.question, item.context) for item in items}) == len(items)
    for item in items:
        assert item.question.strip()
        assert len(passages_of(item).split()) <= MOST_WORDS, item.id


@pytest.mark.parametrize("name", of_kind("choice"))
def test_right_options_are_known_and_balanced(loaded, name):
    items = loaded[name].items
    gold = Counter(item.gold for item in items)
    options = {len(options_of(TASKS[name], item)) for item in items}
    assert len(options) == 1
    assert sorted(gold) == list(range(options.pop()))
    assert max(gold.values()) - min(gold.values()) <= 1


@pytest.mark.parametrize("name", of_kind("choice"))
def test_no_two_options_of_an_item_are_equal(loaded, name):
    for item in loaded[name].items:
        options = options_of(TASKS[name], item)
        assert len({option.casefold() for option in options}) == len(options), item.id


@pytest.mark.parametrize("name", of_kind("spans"))
def test_right_spans_are_in_the_text_and_every_label_occurs(loaded, name):
    labels = Counter()
    for item in loaded[name].items:
        assert item.spans, item.id
        for label, text in item.spans:
            assert text in passages_of(item), item.id
            labels[label] += 1
    assert set(labels) == set(TASKS[name].scoring.labels)
    assert min(labels.values()) >= 2


@pytest.mark.parametrize("name", of_kind("text"))
def test_a_reference_is_a_text_of_its_own(loaded, name):
    for item in loaded[name].items:
        assert item.answers
        assert all(answer.strip() for answer in item.answers)
        assert item.answers[0] not in passages_of(item)


@pytest.mark.parametrize("name", SHARING)
def test_some_items_share_a_passage_a_note_or_a_trial(loaded, name):
    clusters = Counter(item.cluster for item in loaded[name].items if item.cluster)
    assert len(clusters) >= 3
    assert min(clusters.values()) >= 2


def test_files_hold_what_is_hard_to_read(loaded):
    texts = {
        name: "\n".join(passages_of(item) for item in known.items) for name, known in loaded.items()
    }
    assert sum(not text.isascii() for text in texts.values()) >= 8
    assert "“" in texts["mts_dialog"]
    assert '"ear, ear"' in texts["mts_dialog"]
    assert all("\n" in item.question for item in loaded["aci_bench"].items)


def shipped_rows():
    """All texts that the demo trains on or asks with, as rows."""
    for line in (INPUTS / "seed_tasks.jsonl").read_text(encoding="utf-8").splitlines():
        yield RowTexts.of(json.loads(line))
    for line in (INPUTS / "recorded_completions.jsonl").read_text(encoding="utf-8").splitlines():
        yield RowTexts("", "", json.loads(line)["content"])
    for part in (INPUTS / "rehearsal_corpus.txt").read_text(encoding="utf-8").split("\n"):
        yield RowTexts("", "", part)


def test_no_fixture_repeats_a_text_that_the_demo_trains_on(loaded):
    fixtures = collect_items(item for known in loaded.values() for item in known.items)
    items = ComparedItems.of(fixtures, read_limits())
    rows = list(shipped_rows())
    assert len(rows) > 200
    found = contamination_report(rows, items)
    assert not found.leaks, found.leaks_by_task
    # The same comparison finds an item that is planted in a shipped row.
    planted = random.Random(5).choice([item for item in items.items if item.task == "icliniq"])
    rows[3] = RowTexts(rows[3].instruction, planted.question, rows[3].output)
    assert contamination_report(rows, items).leaks_by_task == {"icliniq": 1}
