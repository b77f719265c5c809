"""What a person sees of scores: tables with intervals, tasks without items, contamination."""

import pytest

from bioinstruct_dagster.evaluation.contaminated import Repetition
from bioinstruct_dagster.evaluation.selection import ChosenTasks
from bioinstruct_dagster.evaluation.shown import (
    category_table,
    class_table,
    clean_table,
    interval,
    other_table,
    paper_table,
    score_table,
    task_table,
)
from bioinstruct_dagster_tests.evaluation.made_results import chosen_task


def rows(task, metric, *, main=True, category="extraction", items="all"):
    common = {
        "task": task, "metric": metric, "main": main, "category": category, "items": items,
        "ci_low": 0.1, "ci_high": 0.9, "n": 1_200, "clusters": 1_200, "method": "Wilson",
        "items_source": "files", "rehearsal": False,
        "p_value": None, "p_holm": None, "detectable": None,
    }  # fmt: skip
    return [
        common | {"subject": "base", "score": 0.5},
        common | {"subject": "adapter", "score": 0.75},
        common | {
            "subject": "difference", "score": 0.25, "method": "Tango", "p_value": 0.01,
            "p_holm": 0.04, "detectable": 0.2,
        },
    ]  # fmt: skip


SCORES = [
    *rows("phee", "invalid", main=False),
    *rows("phee", "span_f1"),
    *rows("phee", "span_f1", items="without_contaminated"),
    *rows("held_out", "loss", category="all"),
    *rows("held_out", "loss", category="generation"),
]


def test_main_metrics_and_averages_have_three_subjects_side_by_side():
    average = rows("average", "main_metrics", main=False)
    table = score_table([*SCORES, *average])
    assert [(row["task"], row["metric"]) for row in table] == [
        ("phee", "span_f1"), ("held_out", "loss"), ("average", "main_metrics"),
    ]  # fmt: skip
    assert table[0] == {
        "task": "phee", "metric": "span_f1", "category": "extraction",
        "base": "0.500 [0.100, 0.900]", "adapter": "0.750 [0.100, 0.900]",
        "difference": "+0.250 [+0.100, +0.900]", "n": "1,200", "method": "Tango", "p": "0.01",
        "p (Holm)": "0.04", "detectable": "0.2", "items from": "files",
    }  # fmt: skip


def test_other_metrics_stand_apart():
    assert [row["metric"] for row in other_table(SCORES)] == ["invalid"]


def test_categories_and_clean_items_have_tables_of_their_own():
    assert [row["category"] for row in category_table(SCORES)] == ["generation"]
    assert [row["task"] for row in clean_table(SCORES)] == ["phee"]


def test_scores_without_contaminated_items_begin_with_main_metrics():
    scores = [
        *rows("phee", "invalid", main=False, items="without_contaminated"),
        *rows("phee", "span_f1", items="without_contaminated"),
    ]
    assert [row["metric"] for row in clean_table(scores)] == ["span_f1", "invalid"]


def test_a_long_table_ends_with_the_number_of_rows_left_out():
    scores = [row for number in range(40) for row in rows("phee", f"m{number}", main=False)]
    table = other_table(scores)
    assert len(table) == 30
    assert table[0] == {
        "task": "phee", "metric": "m0", "base": "0.500 [0.100, 0.900]",
        "adapter": "0.750 [0.100, 0.900]", "difference": "+0.250 [+0.100, +0.900]",
        "p (Holm)": "0.04",
    }  # fmt: skip
    assert table[-1]["task"] == "11 more in the table eval_scores"


@pytest.mark.parametrize(
    ("clusters", "words"),
    [(5, "unknown: too few items"), (50, "unknown: all items differ alike")],
)
def test_no_detectable_difference_is_explained(clusters, words):
    scores = [row | {"clusters": clusters} for row in rows("phee", "span_f1")]
    scores[-1]["detectable"] = None
    assert score_table(scores)[0]["detectable"] == words


def test_a_score_without_an_interval_is_shown_alone():
    row = {"subject": "base", "score": 0.5, "ci_low": None, "ci_high": None}
    assert interval(row) == "0.500"


def test_tasks_without_items_stand_in_the_table_of_tasks():
    chosen = ChosenTasks((chosen_task("nli4ct", 3),), {"mednli": "no files"})
    hits = [Repetition("1", "r1", "rouge_l"), Repetition("1", "r2", "rouge_l")]
    scored, missing = task_table(chosen, {"nli4ct": hits})
    assert (scored["items"], scored["from"], scored["stands in for"]) == (
        "3 of 3", "fixture", "mednli",
    )  # fmt: skip
    assert scored["repeated by training rows"] == "1"
    assert missing["note"] == "not scored: no files"
    assert scored.keys() == missing.keys()


def test_the_paper_s_gain_stands_beside_ours_as_a_quotation():
    gain = [
        row | {"task": "average", "category": "question_answering"}
        for row in rows("average", "relative_gain", main=False)
        if row["subject"] == "difference"
    ]
    [row] = paper_table([*SCORES, *rows("average", "main_metrics", main=False), *gain])
    assert row["gain here"] == "+25.0% [+10.0%, +90.0%]"
    assert row["gain quoted"] == "+17.3%"
    assert "J Am Med Inform Assoc 2024" in row["quoted from"]
    assert paper_table(SCORES) == []


@pytest.mark.parametrize(
    "change", [{"rehearsal": True}, {"items_source": "files+fixture"}, {"items_source": "fixture"}]
)
def test_what_has_no_meaning_does_not_stand_beside_the_paper(change):
    gain = rows("average", "relative_gain", main=False)[-1] | {"category": "extraction"} | change
    [row] = paper_table([gain])
    assert "25.0%" not in str(row)
    assert (row["gain here"], row["gain quoted"]) == ("not shown", "")
    assert "has no meaning beside the paper's" in row["over"]
    [real] = paper_table([gain | {"rehearsal": False, "items_source": "files"}])
    assert real.keys() == row.keys()


def test_counts_by_class_stand_side_by_side():
    counts = [
        {
            "task": "phee", "metric": "macro_f1", "subject": subject, "class": name,
            "true_positives": hits, "false_positives": 2.0, "false_negatives": 0.5,
        }
        for name in ("adverse", "potential")
        for subject, hits in (("adapter", 7.0), ("base", 3.0))
    ]  # fmt: skip
    assert class_table(counts)[1] == {
        "task": "phee", "metric": "macro_f1", "class": "potential",
        "adapter: true, false, missed": "7, 2, 0.5", "base: true, false, missed": "3, 2, 0.5",
    }  # fmt: skip
