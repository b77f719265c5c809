"""The contamination gate: what it catches, what it lets pass, and what it says of a row."""

import json

import pytest

from bioinstruct_dagster.curation.contamination.gate import (
    MOST_FINDINGS,
    ContaminationGate,
    contamination_report,
)
from bioinstruct_dagster.curation.contamination.limits import (
    ComparedItems,
    OverlapLimits,
    RougeLimits,
    read_limits,
)
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.eval_sets.items import EvaluationItem, collect_items

LIMITS = read_limits()
BAKER = EvaluationItem(
    task="exam",
    id="q1",
    question=(
        "A baker of 52 years has sneezed every workday since spring; at sea he is well. Which "
        "test shows what he should keep away from?"
    ),
    answers=("Skin prick test with flour",),
    options=("Skin prick test with flour", "Chest radiograph", "Sweat chloride", "Lumbar puncture"),
)
LENS = EvaluationItem("exam", "q2", "Lens held by:", ("Zonular fibres",), ("Zonular fibres",))
SLEEP = EvaluationItem(
    task="abstracts",
    id="17",
    question="Do evening walks shorten the time to sleep in shift workers?",
    answers=("In this small trial evening walks brought sleep eleven minutes sooner, no more.",),
    context=(
        (
            "Forty nurses on rotating shifts were asked to walk for thirty minutes at dusk during "
            "two weeks, and to wear a wrist device that told when they had fallen asleep."
        ),
        "Compared with quiet reading, sleep came eleven minutes sooner after walks.",
    ),
)
YES_NO = EvaluationItem("yes_no", "b1", "Is the moon made of cheese or rather of basalt?", ("yes",))
ITEMS = [BAKER, LENS, SLEEP, YES_NO]
FILLER = "the harbour was quiet and nobody had seen the grey cat since the boats went out "


@pytest.fixture(scope="module")
def gate():
    return ContaminationGate(ComparedItems.of(collect_items(ITEMS), LIMITS))


def rules(gate, *texts):
    """Rules that a row breaks, by item."""
    (result,) = gate.check([RowTexts(*texts)])
    found = {}
    for finding in result.findings:
        found.setdefault(finding.evidence.get("item"), set()).add(finding.rule)
    return found


def words(text, order):
    parts = text.split()
    return " ".join(order(parts))


@pytest.mark.parametrize(
    "row",
    [
        (BAKER.question, "", BAKER.answers[0]),
        ("Answer the question.", BAKER.question, "A"),
        ("Answer.", BAKER.question.upper().replace(" ", " -- "), ""),
        ("Read this.", 5 * FILLER + BAKER.question + 5 * FILLER, ""),
        (BAKER.question[:60], BAKER.question[60:], ""),
        ("Tell a story about a baker.", "", 3 * FILLER + BAKER.question),
    ],
    ids=["copy", "as input", "case and punctuation", "inside", "straddling", "in the output"],
)
def test_a_copied_question_is_rejected_wherever_it_stands(gate, row):
    assert {"whole_item", "ngram_13", "coverage_8"} <= rules(gate, *row)["q1"]


def test_a_question_whose_clauses_are_swapped_is_caught(gate):
    first, second = BAKER.question.split("; ")
    assert rules(gate, "Answer.", f"{second} {first}", "")["q1"] & {"coverage_8", "ngram_13"}


def test_a_question_whose_words_are_all_moved_is_caught(gate):
    for order in (lambda parts: parts[::-1], sorted):
        assert rules(gate, words(BAKER.question, order), "", "") == {"q1": {"reordered"}}
        assert rules(gate, "Answer.", words(SLEEP.question, order), "")["17"] == {"reordered"}


def test_options_in_another_order_do_not_hide_a_question(gate):
    options = "\n".join(
        f"{letter}) {text}" for letter, text in zip("ABCD", reversed(BAKER.options), strict=True)
    )
    assert "q1" in rules(gate, "Choose.", f"{words(BAKER.question, sorted)}\n{options}", "D")


def test_a_question_with_changed_words_is_caught(gate):
    edited = "Do long evening walks reduce the time to sleep in night workers?"
    assert rules(gate, edited, "", "No.") == {"17": {"rouge_l"}}


def test_likeness_is_measured_for_each_field_and_both_inputs(gate):
    halves = ("Do evening walks reduce the time", "to sleep in night workers?")
    (result,) = gate.check([RowTexts(*halves, "")])
    (finding,) = result.findings
    assert (finding.rule, finding.evidence["field"]) == ("rouge_l", "instruction input")


def test_a_copied_answer_or_passage_is_caught(gate):
    assert "whole_item" in rules(gate, "Summarise the trial.", "", SLEEP.answers[0])["17"]
    passage = SLEEP.context[0]
    assert {"whole_item", "ngram_13", "coverage_8"} <= rules(gate, "Summarise.", passage, "")["17"]


def test_thirteen_tokens_of_a_passage_are_caught_twelve_not(gate):
    tokens = SLEEP.context[0].split()
    assert rules(gate, "Continue.", " ".join(tokens[3:16]), "")["17"] == {"ngram_13"}
    assert rules(gate, "Continue.", " ".join(tokens[3:15]), "") == {None: {"clean"}}


def test_pieces_that_cover_half_of_a_text_count_together(gate):
    question = BAKER.question.split()  # 25 tokens
    pieces = f" {FILLER}".join([" ".join(question[:8]), " ".join(question[10:18])])
    assert rules(gate, "Continue.", pieces, "")["q1"] == {"coverage_8"}
    assert rules(gate, "Continue.", " ".join(question[:11]), "") == {None: {"clean"}}


def test_short_and_ubiquitous_answers_hit_nothing(gate):
    assert rules(gate, "Is iron heavier than cork?", "", "yes") == {None: {"clean"}}
    assert rules(gate, "How is wheat allergy found?", "", "Skin prick test with flour") == {
        None: {"clean"}
    }


def test_a_short_question_counts_only_together_with_its_answer(gate):
    alone = ("Complete.", "Each lens held by a frame is heavy.", "True.")
    assert rules(gate, *alone) == {None: {"clean"}}
    assert rules(gate, "Complete: lens held by", "", "zonular fibres")["q2"]
    assert rules(gate, "LENS, held by", "A) iris B) Zonular fibres", "B")["q2"]


def test_a_run_of_many_items_is_ignored():
    stem = "Which of the following statements about the organ shown is most likely to be true of"
    organs = ["spleen", "liver", "pylorus", "tongue", "retina", "cochlea"]
    items = [EvaluationItem("exam", organ, f"{stem} {organ}") for organ in organs]
    items.append(EvaluationItem("exam", "stem", stem))
    gate = ContaminationGate(ComparedItems.of(collect_items(items), LIMITS))
    row = RowTexts(f"{FILLER} {stem} a ship", FILLER, "It floats.")
    assert not gate.check([row])[0].rejected
    few = ContaminationGate(ComparedItems.of(collect_items([*items[:2], items[-1]]), LIMITS))
    assert few.check([row])[0].rejected


def test_a_finding_says_task_item_field_and_text(gate):
    (result,) = gate.check([RowTexts("Read.", 9 * FILLER + BAKER.question, "")])
    finding = result.findings[0]
    assert result.rejected
    assert finding.rule == "whole_item"
    assert finding.evidence["task"] == "exam"
    assert finding.evidence["field"] == "input"
    assert finding.evidence["text"].startswith("a baker of 52 years has sneezed every workday")
    by_rule = {each.rule: each for each in result.findings}
    assert by_rule["ngram_13"].score == by_rule["whole_item"].score == 25
    assert by_rule["coverage_8"].score == 1.0
    json.dumps(dict(finding.evidence))


def test_evidence_and_findings_stay_small():
    long = "many " * 300
    items = [EvaluationItem("exam", str(i), f"{long} {i} {'x' * i}") for i in range(20)]
    gate = ContaminationGate(
        ComparedItems.of(collect_items(items), OverlapLimits(boilerplate={"texts": 99}))
    )
    (result,) = gate.check([RowTexts("Go.", long, long)])
    assert len(result.findings) == MOST_FINDINGS
    assert all(len(finding.evidence["text"]) <= 200 for finding in result.findings)


def test_a_clean_row_names_the_number_of_items(gate):
    (result,) = gate.check([RowTexts("Name a river.", "", "Elbe")])
    (finding,) = result.findings
    assert (finding.rule, finding.verdict, finding.version) == ("clean", "keep", gate.version)
    assert finding.evidence == {"items": 4}


def test_without_items_every_row_is_clean_and_says_so():
    gate = ContaminationGate(ComparedItems.of(collect_items([])))
    (result,) = gate.check([RowTexts(BAKER.question, "", "")])
    assert result.findings[0].evidence == {"items": 0}


def test_items_and_rows_without_tokens_are_no_error():
    gate = ContaminationGate(
        ComparedItems.of(collect_items([EvaluationItem("other", "1", "头痛怎么办?")]))
    )
    rows = [RowTexts("头痛怎么办?", "", ""), RowTexts("", "", "")]
    assert [row.rejected for row in gate.check(rows)] == [False, False]


def test_flagged_rows_are_kept(gate):
    flagging = ContaminationGate(ComparedItems.of(collect_items(ITEMS), LIMITS), action="flag")
    (result,) = flagging.check([RowTexts(BAKER.question, "", "")])
    assert not result.rejected
    assert {finding.verdict for finding in result.findings} == {"flag"}


def test_results_do_not_depend_on_the_portion(gate):
    rows = [
        RowTexts("Name a river.", "", "Elbe"),
        RowTexts("Answer.", BAKER.question, ""),
        RowTexts("Lens held by", "", "Zonular fibres"),
        RowTexts(words(SLEEP.question, sorted), "", ""),
    ] * 600
    together = gate.check(rows)
    assert together == [gate.check([row])[0] for row in rows[:4]] * 600


def test_the_version_covers_items_numbers_and_action(gate):
    same = ContaminationGate(ComparedItems.of(collect_items(list(ITEMS)), LIMITS))
    others = [
        ContaminationGate(ComparedItems.of(collect_items(ITEMS[:-1]), LIMITS)),
        ContaminationGate(ComparedItems.of(collect_items(ITEMS), LIMITS), "flag"),
        ContaminationGate(
            ComparedItems.of(
                collect_items(ITEMS), LIMITS.model_copy(update={"rouge_l": RougeLimits(f1=0.8)})
            )
        ),
    ]
    assert same.version == gate.version
    assert len({gate.version, *(other.version for other in others)}) == 4


def test_a_rule_keeps_its_version_when_another_rule_changes(gate):
    stricter = LIMITS.model_copy(update={"rouge_l": RougeLimits(f1=0.8)})
    other = ContaminationGate(ComparedItems.of(collect_items(ITEMS), stricter))
    row = [RowTexts(BAKER.question, "", "")]
    before = {each.rule: each.version for each in gate.check(row)[0].findings}
    after = {each.rule: each.version for each in other.check(row)[0].findings}
    assert before["ngram_13"] == after["ngram_13"]
    assert before["rouge_l"] != after["rouge_l"]


def test_the_report_names_leaks_by_task_and_missing_tasks():
    items = ComparedItems.of(
        collect_items(ITEMS, counts={"exam": 2, "gone": 0}, missing=("gone",)), LIMITS
    )
    rows = [
        RowTexts("Name a river.", "", "Elbe"),
        RowTexts(BAKER.question, "", ""),
        RowTexts(SLEEP.question, "", ""),
    ]
    found = contamination_report(rows, items)
    assert not found.passed
    assert list(found.leaks) == [1, 2]
    assert found.leaks_by_task == {"exam": 1, "abstracts": 1}
    assert (found.rows, found.items, found.missing) == (3, 4, ("gone",))
    assert contamination_report(rows[:1], items).passed
