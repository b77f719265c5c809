"""Rows of other fields than biology, medicine and health: what is found, what passes, and why."""

import json

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality import rules
from bioinstruct_dagster.curation.quality.domain import (
    GENERAL_SHARES,
    MOST_SHOWN_WORDS,
    WordWeights,
    domain_check,
    field_words,
    learn_weights,
    shipped_weights,
)
from bioinstruct_dagster.curation.quality.domain_texts import (
    DomainTexts,
    DomainTextsError,
    domain_texts,
)
from bioinstruct_dagster.curation.quality.domain_words import WORD_KINDS, domain_vocabulary
from bioinstruct_dagster.curation.quality.rules import DomainRule
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate

FOLDS = 5
TINY = DomainTexts(
    domain=("gout gout hurts", "zorbic gout", *("it is the gouty gout of old",) * 20),
    instructions=("treat gout",),
    general=("poem wumple",) * 30,
)


def rule(**settings) -> DomainRule:
    (shipped,) = (one for one in shipped_gate().rules if isinstance(one, DomainRule))
    return shipped.model_copy(update=settings)


CHECK = domain_check(rule())


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("What is the capital of Denmark?", "", "Copenhagen is its capital and largest city."),
        (
            "Rewrite the sentence in the passive voice.",
            "The cook burnt the cake.",
            ("The cake was burnt by the cook."),
        ),
        ("Write a slogan for a gym's marketing campaign.", "", "Sweat now, shine later."),
        (
            "Write a product page for a brand of running shoes.",
            "",
            ("Light soles, bright colours, and a price that leaves money for the race ticket."),
        ),
        (
            "Balance the equation for my chemistry homework.",
            "Fe + O2 -> Fe2O3",
            "4 Fe + 3 O2 -> 2 Fe2O3",
        ),
        (
            "My car engine stalls at traffic lights. Diagnose the fault.",
            "",
            (
                "The fuel pump or a "
                "dirty throttle may be the cause; let a garage read the engine's memory."
            ),
        ),
        (
            "How do I get rid of a virus on my laptop?",
            "",
            (
                "Start in safe mode, run a scanner, and "
                "download software only from the vendor's website."
            ),
        ),
        (
            "Is the economy in good health?",
            "Exports rose and unemployment fell.",
            "Yes, companies sell more abroad and employ more people.",
        ),
        (
            "Explain how a treaty becomes law.",
            "",
            (
                "The president signs it, the senate ratifies, "
                "and both parliaments vote on the statutes."
            ),
        ),
        (
            "Write a short poem about the sea.",
            "",
            ("The waves roll in, gulls cry aloud, / a sail drifts under silver cloud."),
        ),
        ("Who won the football world cup in 1966?", "", "England, at Wembley stadium."),
        ("Write a Python function that sorts a list.", "", "def sort(items): return sorted(items)"),
        (
            "Plan a birthday party for my grandmother.",
            "",
            ("Invite her friends, bake a cake, and play the songs of her youth."),
        ),
        (
            "Draft a cover letter for a job at a bank.",
            "",
            (
                "Dear Ms Ray, I apply for the post of "
                "teller. I enjoy numbers, customers and early mornings."
            ),
        ),
    ],
)
def test_a_row_of_another_field_is_found(instruction, task_input, output):
    assert CHECK(RowTexts(instruction, task_input, output)) is not None


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("Define ataxia.", "", ""),
        ("Gout?", "", "Yes"),
        ("Summarize the text.", "The patient fell at home and broke her hip.", "A fall."),
        ("Complete the sentence.", "", "Insulin lowers glucose."),
        ("Write a poem about the heart's four valves.", "", "They open, they close."),
        (
            "Translate into French.",
            "Take one tablet after meals.",
            ("Prenez un comprimé après les repas."),
        ),
        ("Why do leaves hold chlorophyll?", "", "To catch light for photosynthesis."),
        ("How often should a foal be dewormed?", "", "Ask the veterinarian."),
        ("Which crown suits a carious molar?", "", "A full metal crown."),
        ("Why does shingles follow a nerve?", "", "It depends on the stage; a specialist decides."),
        ("How is macular degeneration followed up?", "", "By regular visits."),
        ("Answer the question.", "Is the answer yes or no?", "Yes."),
        ("Convert the units.", "70 kg", "154 lb"),
        ("Sort the list.", "b; a", "a; b"),
    ],
)
def test_a_medical_row_and_a_row_that_says_nothing_of_its_field_pass(
    instruction, task_input, output
):
    assert CHECK(RowTexts(instruction, task_input, output)) is None


def test_the_evidence_names_the_words_that_decided():
    found = CHECK(RowTexts("Write a poem about a patient wizard.", "", "A dragon sang in Paris."))
    assert found is not None
    assert found.evidence["against"][:2] == ["paris", "dragon"]
    assert found.evidence["for"] == ["patient"]
    assert found.evidence["words"] == 7
    assert found.score < rule().below


def test_the_evidence_is_small_and_shows_no_word_that_is_in_no_list():
    odd = [f"wumple{'x' * 200}{number}" for number in range(40)]
    listed = ["poem", "king", "castle", "movie", "recipe", "airport", "stadium", f"poet{'x' * 90}"]
    found = CHECK(RowTexts(" ".join(listed), "", " ".join(odd)))
    assert found is not None
    assert len(found.evidence["against"]) == MOST_SHOWN_WORDS
    assert set(found.evidence["against"]) <= set(listed[:-1])
    assert len(json.dumps(dict(found.evidence))) < 250


@pytest.mark.parametrize(
    ("instruction", "output"),
    [
        ("Write a Nextflow process that runs FastQC.", "process FASTQC { script: 'fastqc x' }"),
        ("How do I read a VCF file in Python?", "Use pysam: for r in VariantFile(path): print(r)"),
        ("Write a bash command that counts the reads of a FASTQ file.", "zcat r.fastq.gz | wc -l"),
        ("Describe how to pour an agarose gel.", "Let it cool, add the dye and place the comb."),
        ("What is the use of a fume hood?", "It draws vapours away from the worker."),
        ("What is an ICER?", "The difference in cost, divided by the difference in QALYs."),
        ("How do wasps find the nest again?", "They use the sun and count turns on the way."),
        ("How do I trim a parrot's claws?", "Wrap it in a towel and cut the tip off quickly."),
        ("Make my aunt's home safe.", "Take up loose rugs and put grab rails by the bath."),
        ("Tell people to boil tap water.", "The flood got into the mains. Let it boil and cool."),
    ],
)
def test_branches_that_share_words_with_daily_life_or_programming_stay(instruction, output):
    assert CHECK(RowTexts(instruction, "", output)) is None


def test_a_short_row_of_unknown_words_passes_unless_a_word_is_of_another_field():
    strange = "wumplea wumpleb wumplec wumpled wumplee"
    outside = "Rewrite and trim the wooden flat battery rain country"
    strict = domain_check(rule(most_plain=100.0))
    assert strict(RowTexts(outside, "", "")) is not None
    assert strict(RowTexts(f"{outside} {strange}", "", "")) is None
    assert strict(RowTexts(f"{outside} {strange} poem", "", "")) is not None


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("Identify the predicate of the sentence.", "The dog chased the ball.", "chased the ball"),
        ("What were the causes of the First World War?", "", "Alliances and an arms race."),
        ("How do I operate a forklift?", "", "Fasten the belt, lift low and drive slowly."),
        ("Fix the grammar.", "They was going home.", "They were going home."),
    ],
)
def test_short_rows_of_other_fields_are_found(instruction, task_input, output):
    assert CHECK(RowTexts(instruction, task_input, output)) is not None


def test_words_that_are_in_no_list_count_no_more_than_the_rule_says():
    unknown = RowTexts(" ".join(f"wumple{a}{b}" for a in "abcdefgh" for b in "abcde"), "", "")
    assert domain_check(rule(most_plain=100.0))(unknown) is not None
    assert domain_check(rule(most_plain=3.0))(unknown) is None


def test_enough_medical_words_outweigh_other_words():
    story = "king castle dragon poem stadium recipe bitcoin opera"
    assert CHECK(RowTexts(story, "", "insulin " * 3)) is not None
    # Whether words were seen before changes nothing.
    assert CHECK(RowTexts(story, "", "insulin dialysis")) is None
    assert CHECK(RowTexts(story, "", "insulin dialysis")) is None
    assert domain_check(rule(sure_terms=3))(RowTexts(story, "", "insulin dialysis")) is not None


def test_a_longer_row_needs_more_medical_words():
    story = " ".join(f"poet{first}{second}" for first in "abcdefgh" for second in "abcdefghij")
    assert CHECK(RowTexts(story, "", "insulin dialysis")) is not None
    assert CHECK(RowTexts(story, "", "insulin dialysis sepsis")) is None


def test_a_link_or_a_number_says_nothing_of_the_field():
    assert field_words("https://www.example.org 2024 7 x of the gout") == {"example", "gout"}


def test_a_words_weight_is_that_of_its_kind_unless_the_texts_say_more():
    learned, kinds = learn_weights(TINY, domain_vocabulary())
    assert set(kinds) == set(WORD_KINDS) == set(GENERAL_SHARES)
    assert kinds["medical"] > 0 > kinds["elsewhere"]
    assert learned["gout"] > kinds["medical"]
    assert learned["poem"] < kinds["elsewhere"]
    assert learned["wumple"] < 0
    assert learned["zorbic"] <= 0  # plain: never for the domain
    assert "unseen" not in learned


def test_the_words_of_each_kind_count_as_their_kind_says():
    kinds = shipped_weights().kinds
    assert kinds["medical"] > kinds["shared"] > 0.5
    assert kinds["elsewhere"] < kinds["plain"] < 0
    assert kinds["neutral"] == 0


def test_other_texts_give_the_rule_another_version(monkeypatch):
    before = rule().version
    monkeypatch.setattr(rules, "domain_texts", lambda: TINY)
    assert rule().version != before


def test_a_rule_that_is_off_needs_no_texts(monkeypatch):
    def missing():
        raise DomainTextsError("gone")

    monkeypatch.setattr(rules, "domain_texts", missing)
    assert rule(action="off").version
    with pytest.raises(DomainTextsError):
        assert rule().version


def fold(texts: tuple[str, ...], number: int, *, held_out: bool) -> tuple[str, ...]:
    return tuple(text for place, text in enumerate(texts) if (place % FOLDS == number) is held_out)


def test_rows_that_were_not_learned_from_are_judged_right(monkeypatch):
    """Of general rows 85 % are found, of medical texts and bare instructions at most 1 % lost."""
    texts = domain_texts()
    found, lost = 0, 0
    for number in range(FOLDS):
        learned = DomainTexts(*(fold(part, number, held_out=False) for part in texts))
        weights = learn_weights(learned, domain_vocabulary())
        monkeypatch.setattr(
            "bioinstruct_dagster.curation.quality.domain.shipped_weights",
            lambda weights=weights: WordWeights(*weights),
        )
        check = domain_check(rule())
        held = [fold(part, number, held_out=True) for part in texts]
        lost += sum(check(RowTexts(text, "", "")) is not None for text in (*held[0], *held[1]))
        found += sum(check(RowTexts(text, "", "")) is not None for text in held[2])
    assert found >= 0.85 * len(texts.general)
    assert lost <= 0.01 * (len(texts.domain) + len(texts.instructions))
