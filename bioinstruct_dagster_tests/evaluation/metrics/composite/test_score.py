"""The composite on small cases, one for each rule, and on real human scores where they are."""

import json

import numpy as np
import pytest

from bioinstruct_dagster.evaluation.judge.agreement import agreement_of, length_of
from bioinstruct_dagster.evaluation.metrics.composite import composite
from bioinstruct_dagster.evaluation.metrics.composite.weights import CompositeWeights
from bioinstruct_dagster.settings import PROJECT_ROOT

REAL = PROJECT_ROOT.parent / "shared" / "data" / "eval" / "mts_dialog" / "human_scores_even.jsonl"
SOURCE = (
    "Doctor: Good morning, sir. How old are you?\nPatient: I'm sixty two.\n"
    "Doctor: What brings you in?\nPatient: My left knee hurts, and I've had a sore throat for "
    "three days.\nDoctor: Any fever or trouble breathing?\nPatient: No, neither.\n"
    "Doctor: Do you take anything?\nPatient: Fifty milligrams of Lopressor for high blood "
    "pressure, since March fourth two thousand seven.\nDoctor: And your family?\n"
    "Patient: My dad had a heart attack. I live with my wife."
)
REFERENCE = (
    "This is a 62-year-old male with left knee pain and pharyngitis for 3 days. He denies fever or "
    "shortness of breath. Hypertension, on metoprolol 50 mg since 03/04/2007. Father had a "
    "myocardial infarction. He lives with his wife."
)


def of(summary: str):
    return composite(SOURCE, REFERENCE, summary)


def test_the_reference_itself_is_faultless():
    found = of(REFERENCE)
    assert found.score == 1.0
    assert found.factual_errors == 0.0
    assert found.faults == ()


def test_a_paraphrase_is_kept():
    found = of(
        "62 year old man. Pain in the left knee. Sore throat, three days. No fevers, no dyspnea. "
        "HTN, Lopressor fifty mg since March 4, 2007. His dad had a heart attack. Lives with wife."
    )
    assert found.score > 0.95
    assert found.factual_errors < 0.5


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("denies fever", "reports fever", "negation"),
        ("left knee", "right knee", "side"),
        ("62-year-old", "26-year-old", "number"),
        ("50 mg", "50 mcg", "number"),
        ("3 days", "3 weeks", "number"),
        ("03/04/2007", "03/04/2006", "number"),
        ("male", "female", "sex"),
        ("He denies", "She denies", "sex"),
        ("metoprolol", "metformin", "medicine"),
        ("Hypertension", "Hypotension", "finding"),
        ("Father had", "The patient had", "owner"),
    ],
)
def test_one_changed_fact_is_one_error_and_costs(right, wrong, kind):
    assert right in REFERENCE
    found = of(REFERENCE.replace(right, wrong))
    assert kind in {fault.kind for fault in found.faults}
    assert found.factual_errors >= 1.0
    assert found.score < 0.88


def test_an_invented_medicine_or_finding_costs():
    for added in ("He takes warfarin.", "He also takes zentapril.", "Asthma.", "No chest pain."):
        found = of(f"{REFERENCE} {added}")
        assert found.factual_errors >= 1.0, added
        assert found.score < 0.9, added


def test_an_omission_costs_its_share_and_is_no_error():
    shorter = REFERENCE.replace(" Father had a myocardial infarction.", "")
    assert 0.6 < of(shorter).score < of(REFERENCE).score
    assert of(shorter).factual_errors == 0.0
    assert of("Left knee pain.").score < of(shorter).score


def test_the_order_of_sentences_does_not_matter():
    sentences = REFERENCE.removesuffix(".").split(". ")
    assert of(". ".join(sentences[::-1]) + ".").score == pytest.approx(1.0)


def test_repetition_and_padding_do_not_raise_the_score():
    part = "Left knee pain. He denies fever."
    plain = of(part).score
    assert of(f"{part} {part}").score <= plain
    assert of(f"{part} {part * 20}").score < plain
    padding = " The patient was seen and his symptoms were noted as stated in the history."
    assert of(part + padding).score <= plain
    assert of(part + padding * 10).score < plain


def test_naming_everything_in_both_ways_does_not_win():
    stuffed = "Fever. No fever. Dyspnea. No dyspnea. Left knee pain. Right knee pain. Sore throat."
    assert of(stuffed).score < of("Left knee pain. Sore throat. No fever. No dyspnea.").score


def test_a_copied_source_does_not_win():
    good = "62-year-old male with left knee pain and sore throat. No fever. On Lopressor 50 mg."
    assert of(SOURCE).score < of(good).score


@pytest.mark.parametrize("nothing", ["", " \n", ".", "The patient is a"])
def test_a_summary_that_says_nothing_has_no_score_and_no_error(nothing):
    found = of(nothing)
    assert (found.score, found.factual_errors, found.coverage) == (0.0, 0.0, 0.0)


def test_the_half_word_at_the_end_of_a_text_that_was_cut_off_is_no_error():
    assert of("Left knee pain and pharyng").factual_errors == 0.0
    assert of("Left knee pain and pharyng.").factual_errors > 0.0


def test_no_source_means_that_only_the_reference_supports():
    assert composite("", REFERENCE, REFERENCE).score == 1.0
    assert composite("", "Asthma.", "Gout.").factual_errors == 1.0


def test_weights_change_what_an_error_costs():
    wrong = REFERENCE.replace("50 mg", "500 mg")
    free = composite(SOURCE, REFERENCE, wrong, CompositeWeights(error=0.0))
    assert free.score == free.coverage > of(wrong).score


def test_any_text_is_scored_without_an_error():
    odd = [
        "\ud800",
        "\u0000",
        "A" * 5_000,
        "1/2/3/4 5-6-7 ,,,;:??",
        "9" * 400,
        "no " * 500,
        "\u4e2d",
    ]
    for text in odd:
        for found in (composite(text, REFERENCE, text), composite(text, text, text)):
            assert 0.0 <= found.score <= 1.0


@pytest.mark.skipif(not REAL.exists(), reason="needs the human scores of MTS-Dialog's summaries")
def test_the_composite_agrees_with_people():
    rows = [json.loads(line) for line in REAL.read_text("utf-8").splitlines()]
    found = [composite(row["dialogue"], row["reference"], row["summary"]) for row in rows]
    figures = agreement_of(
        [one.score for one in found],
        [one.factual_errors for one in found],
        human=[row["factual_f1"] for row in rows],
        has_error=[row["factual_precision"] < 1 for row in rows],
        lengths=np.array(
            [[length_of(row["summary"]), length_of(row["reference"])] for row in rows]
        ),
        clusters=[row["dialogue"] for row in rows],
        seed=1,
        resamples=200,
    )
    assert figures.spearman.value > 0.76
    assert figures.partial.value > 0.45
    assert figures.within.value > 0.48
    assert figures.auroc.value > 0.82


def errors(reference: str, summary: str, source: str = "") -> float:
    return composite(source, reference, summary).factual_errors


@pytest.mark.parametrize(
    ("reference", "right", "wrong"),
    [
        ("No prior MI. Father had an MI.", "Never had an MI.", "Had an MI."),
        ("Allergic to penicillin.", "Penicillin allergy.", "No known drug allergies."),
        ("Allergic to penicillin.", "Penicillin allergy.", "NKDA."),
        ("Tingling of both feet.", "Bilateral foot tingling.", "Left foot tingling."),
        ("No locking.", "Denies locking.", "With locking."),
        ("Amoxicillin twice a day. Age 3.", "Amoxicillin BID.", "Amoxicillin TID."),
        ("Cough 2 times a month. Beer weekly.", "Cough twice a month.", "Cough twice a week."),
        ("Last seen on May 3.", "Seen on 3 May.", "Seen on 3 March."),
        ("Last seen on March 3.", "Seen on 3 March.", "Seen on 3 May."),
        ("No current pain; last had it in June.", "Pain was present in June.", "Pain is present."),
        ("Not pregnant; tubal ligation.", "Not pregnant (tubes tied).", "Pregnant (tubes tied)."),
        ("Not pregnant; tubal ligation.", "Not pregnant, s/p BTL.", "Pregnant, s/p BTL."),
        ("Sweating, no cough.", "Diaphoresis +, cough -", "Diaphoresis -, cough +"),
        ("Brother has gout.", "Gout in her brother.", "Gout in her sister."),
    ],
)
def test_the_opposite_counts_and_another_wording_does_not(reference, right, wrong):
    assert errors(reference, right) == 0
    assert errors(reference, wrong) >= 1
