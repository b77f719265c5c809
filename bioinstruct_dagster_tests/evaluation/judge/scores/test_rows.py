"""Scores of the judge: means and differences, what is left out and counted, corrected means."""

import random
from dataclasses import replace

import pytest

from bioinstruct_dagster.evaluation.judge.answers import AnsweredItem, TaskAnswers
from bioinstruct_dagster.evaluation.judge.grades import SHARES, Grade
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore
from bioinstruct_dagster.evaluation.judge.judging import Judgement
from bioinstruct_dagster.evaluation.judge.measured import JudgeStanding
from bioinstruct_dagster.evaluation.judge.pairwise import PairChoice
from bioinstruct_dagster.evaluation.judge.scores.corrected import LEAST_HUMAN_SCORES
from bioinstruct_dagster.evaluation.judge.scores.facts import JudgeFacts
from bioinstruct_dagster.evaluation.judge.scores.rows import score_rows, with_holm
from bioinstruct_dagster.teacher.answers import StoredAnswer

PROVENANCE = {
    "task_version": "v",
    "category": "generation",
    "prompt_version": "alpaca/1",
    "dataset_fingerprint": "d",
    "items_fingerprint": "i",
    "items_source": "files",
    "base_fingerprint": "b",
    "adapter_sha256": "a",
    "rehearsal": False,
}
FACTS = JudgeFacts("gpt-4.1", JudgeStanding("not_measured", "Not measured."), "meta-llama/Llama-2")


def items_of(count, clusters=0):
    return [
        AnsweredItem(
            id=f"{number:03}",
            cluster=f"c{number % clusters}" if clusters else "",
            source=f"Source {number}.",
            reference=f"Reference {number}.",
            base=f"Base {number}.",
            adapter=f"Adapter {number}.",
        )
        for number in range(count)
    ]


def stored(answer, *, rehearsal=False):
    return StoredAnswer(answer, "c", rehearsal)


def grade(covered, omitted, invented=0):
    return Grade(covered, 0, omitted, covered, 0, invented)


def rows_of(items, grades, choices=None, *, facts=FACTS, people=None, seed=3):
    answers = TaskAnswers(("llama", "all"), "mts_dialog", tuple(items), PROVENANCE)
    return score_rows(
        answers,
        items,
        Judgement(grades, choices or {}),
        facts,
        people=people or {},
        with_pairs=choices is not None,
        seed=seed,
    )


def by_name(rows, estimate="judge"):
    return {(row["metric"], row["subject"]): row for row in rows if row["estimate"] == estimate}


def graded_both(items, base, adapter):
    return {item.text("base"): stored(base) for item in items} | {
        item.text("adapter"): stored(adapter) for item in items
    }


def test_means_and_their_difference():
    items = items_of(10)
    found = by_name(rows_of(items, graded_both(items, grade(1, 3), grade(3, 1, invented=1))))
    assert found["judge_factual_recall", "base"]["score"] == 0.25
    assert found["judge_factual_recall", "adapter"]["score"] == 0.75
    difference = found["judge_factual_recall", "difference"]
    assert (difference["score"], difference["n"]) == (0.5, 10)
    assert difference["p_value"] < 0.01
    assert found["judge_omission_rate", "difference"]["score"] == -0.5
    assert found["judge_hallucination_rate", "adapter"]["score"] == 0.25
    assert found["judge_unreadable", "base"]["score"] == 0
    assert found["judge_factual_f1", "base"]["adapter_sha256"] is None
    assert difference["adapter_sha256"] == "a"


def test_what_is_unreadable_or_was_not_asked_is_in_no_mean_and_counted():
    items = items_of(10)
    grades = graded_both(items, grade(1, 1), grade(2, 0))
    grades[items[0].text("base")] = stored(None)
    del grades[items[1].text("base")]
    found = by_name(rows_of(items, grades))
    base = found["judge_factual_recall", "base"]
    assert (base["score"], base["n"], base["drawn"]) == (0.5, 8, 10)
    assert (base["unreadable"], base["not_asked"]) == (1, 1)
    adapter = found["judge_factual_recall", "adapter"]
    assert (adapter["n"], adapter["unreadable"], adapter["not_asked"]) == (10, 0, 0)
    difference = found["judge_factual_recall", "difference"]
    assert (difference["n"], difference["unreadable"], difference["not_asked"]) == (8, 1, 1)
    assert found["judge_unreadable", "base"]["score"] == pytest.approx(1 / 9)


def test_scores_without_contaminated_items_stand_beside():
    items = items_of(8)
    items[0] = replace(items[0], contaminated=True)
    grades = graded_both(items, grade(1, 1), grade(1, 1))
    grades[items[0].text("adapter")] = stored(grade(9, 0))
    rows = rows_of(items, grades)
    recalls = {
        row["items"]: (row["score"], row["n"])
        for row in rows
        if (row["metric"], row["subject"]) == ("judge_factual_recall", "adapter")
    }
    assert recalls == {"all": (9 / 16, 8), "without_contaminated": (0.5, 7)}
    clean = rows_of(items[1:], grades)
    assert {row["items"] for row in clean} == {"all"}


def test_precision_is_a_mean_over_the_answers_that_state_something():
    items = items_of(4)
    grades = graded_both(items, grade(1, 1), grade(1, 1))
    grades[items[0].text("base")] = stored(Grade(0, 0, 2, 0, 0, 0))
    found = by_name(rows_of(items, grades))
    assert found["judge_factual_precision", "base"]["n"] == 3
    assert found["judge_factual_f1", "base"]["n"] == 4
    assert found["judge_factual_precision", "difference"]["n"] == 3


def test_shared_sources_widen_the_interval():
    rng = random.Random(1)
    alone, shared = items_of(40), items_of(40, clusters=8)
    levels = [rng.randint(0, 8) for _ in range(8)]
    counts = [levels[number % 8] for number in range(40)]

    def width(items):
        grades = {
            item.text(subject): stored(grade(count, 8 - count))
            for item, count in zip(items, counts, strict=True)
            for subject in ("base", "adapter")
        }
        row = by_name(rows_of(items, grades))["judge_factual_recall", "base"]
        return row["ci_high"] - row["ci_low"], row["clusters"]

    assert width(alone)[1] == 40
    assert width(shared)[1] == 8
    assert width(shared)[0] > 1.5 * width(alone)[0]


def test_the_win_rate_needs_both_orders():
    items = items_of(4)
    choices = {}
    for item, (forward, backward) in zip(
        items,
        [("first", "second"), ("second", "first"), ("first", "first"), ("first", None)],
        strict=True,
    ):
        choices[item.pair] = stored(PairChoice(forward))
        choices[item.pair.exchanged()] = stored(backward and PairChoice(backward))
    found = by_name(rows_of(items, {}, choices))
    won = found["judge_win_rate", "difference"]
    assert (won["score"], won["n"], won["unreadable"], won["not_asked"]) == (0.5, 3, 1, 0)
    first = found["judge_first_preferred", "difference"]
    assert (first["score"], first["n"]) == (4 / 6, 3)
    assert found.keys() == {
        ("judge_win_rate", "difference"),
        ("judge_first_preferred", "difference"),
    }


def test_a_pair_that_a_cap_left_out_is_not_asked():
    items = items_of(3)
    choices = {
        order: stored(PairChoice("neither"))
        for item in items[:2]
        for order in (item.pair, item.pair.exchanged())
    }
    del choices[items[1].pair]
    won = by_name(rows_of(items, {}, choices))["judge_win_rate", "difference"]
    assert (won["n"], won["not_asked"], won["unreadable"]) == (1, 2, 0)


def human(text, shares):
    return HumanScore(text, tuple(shares[name] for name in SHARES))


def test_human_scores_correct_a_judge_that_is_too_kind():
    # People find 0.3 recalled on average, the judge 0.2 more.
    rng = random.Random(5)
    items = items_of(200)
    grades, people = {}, {}
    for number, item in enumerate(items):
        true = rng.randint(0, 12)
        for subject in ("base", "adapter"):
            text = item.text(subject)
            grades[text] = stored(grade(true + 4 + rng.randint(-1, 1), 16 - true))
            if number < 60:
                people[text] = human(
                    text, dict.fromkeys(SHARES, 0.5) | {"factual_recall": true / 20}
                )
    rows = rows_of(items, grades, people=people)
    judged = by_name(rows)["judge_factual_recall", "base"]
    corrected = by_name(rows, "corrected")["judge_factual_recall", "base"]
    truth = 0.3
    assert judged["ci_low"] > truth + 0.1
    assert corrected["ci_low"] < truth < corrected["ci_high"]
    assert (corrected["human"], judged["human"]) == (60, 0)
    assert corrected["method"].startswith("prediction-powered")
    assert ("judge_factual_recall", "difference") in by_name(rows, "corrected")


def test_a_handful_of_human_scores_corrects_nothing():
    items = items_of(LEAST_HUMAN_SCORES + 5)
    people = {
        item.text("base"): human(item.text("base"), dict.fromkeys(SHARES, 0.5))
        for item in items[: LEAST_HUMAN_SCORES - 1]
    }
    rows = rows_of(items, graded_both(items, grade(1, 1), grade(1, 1)), people=people)
    assert by_name(rows, "corrected") == {}


@pytest.mark.parametrize(
    ("facts", "same", "words"),
    [
        (FACTS, False, "Not measured."),
        (JudgeFacts("llama-3.3-70b", FACTS.standing, "meta-llama/Llama-2"), True, "one family"),
        (JudgeFacts("gpt-4.1", FACTS.standing, "own-model"), None, "Not measured."),
        (
            JudgeFacts("gpt-4.1", FACTS.standing, "own-model", wrote_training_data=True),
            None,
            "wrote the training data",
        ),
    ],
)
def test_every_score_says_what_its_judge_is(facts, same, words):
    items = items_of(3)
    rows = rows_of(items, graded_both(items, grade(1, 1), grade(1, 1)), facts=facts)
    assert {row["judge_state"] for row in rows} == {"not_measured"}
    assert {row["same_family"] for row in rows} == {same}
    assert all(words in row["judge_note"] for row in rows)
    assert not any(row["rehearsal"] for row in rows)


def test_a_rehearsal_s_grade_marks_every_score():
    items = items_of(3)
    grades = graded_both(items, grade(1, 1), grade(1, 1))
    grades[items[0].text("base")] = stored(grade(1, 1), rehearsal=True)
    rows = rows_of(items, grades)
    assert all(row["rehearsal"] for row in rows)
    # What was measured of a judge says nothing of a server that answers in its name.
    assert {(row["judge_model"], row["judge_state"]) for row in rows} == {
        ("rehearsal-teacher", "rehearsal")
    }
    assert all("Its scores mean nothing" in row["judge_note"] for row in rows)


def test_p_values_are_corrected_over_tasks_within_a_metric():
    rows = [
        {"metric": "judge_factual_f1", "items": "all", "p_value": 0.01},
        {"metric": "judge_factual_f1", "items": "all", "p_value": 0.04},
        {"metric": "judge_factual_recall", "items": "all", "p_value": 0.03},
        {"metric": "judge_factual_f1", "items": "all", "p_value": None},
    ]
    assert [row.get("p_holm") for row in with_holm(rows)] == [0.02, 0.04, 0.03, None]
