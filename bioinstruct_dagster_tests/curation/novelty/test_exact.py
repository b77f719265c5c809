"""The rule `exact`: equal instruction and input, after normalising."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.novelty.exact import ExactFilter, normalised
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction


def row(number, instruction, task_input="", output=""):
    return NamedInstruction(f"row-{number}", instruction, task_input, output)


def kept(rows, seeds=()):
    return [verdict.novel for verdict in ExactFilter(seeds).check(rows)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is asthma?", "what is  ASTHMA"),
        ("What is asthma?", "\n What is\tasthma ?\n".replace(" ?", "?")),
        ("“What is asthma?”", "What is asthma?"),
        ("- What is asthma?", "What is asthma?"),
        ("Name the drug (ASA).", "name the drug (ASA)"),
        ("Extract the drugs of Metformin.", "extract the drugs of METFORMIN"),
        ("What Is Asthma?", "What is asthma"),
        ("EXPLAIN WHAT NA IS", "explain what na is"),
        ("A man with gout", "a man with gout"),
        ("H₂O", "H2O"),
        ("Ca²⁺", "Ca2+"),
        ("5 m²", "5 m2"),
        ("ＨＩＶの症状は？", "HIVの症状は?"),
        ("什么是哮喘？", "什么是哮喘。"),
        ("¿Qué es el asma?", "qué es el asma"),
        ("cafe\u0301 and gout", "caf\u00e9 and gout"),
        ("Was heißt Fußpilz?", "WAS HEISST FUSSPILZ?"),
        ("ما هو الربو؟", "ما هو الربو"),
        ("दमा क्या है।", "दमा क्या है"),
    ],
)
def test_texts_that_are_equal_after_normalising(one, other):
    assert normalised(one) == normalised(other)
    assert kept([row(0, one), row(1, other)]) == [True, False]
    assert kept([row(0, "Answer.", one), row(1, "Answer.", other)]) == [True, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is asthma?", "What is an asthma?"),
        ("Interpret: -5", "Interpret: 5"),
        ("-5 °C", "5 °C"),
        (".5 mg", "5 mg"),
        ("< 5", "> 5"),
        ("+", "-"),
        ("50%", "50"),
        ("?", "!"),
        ("CD4+", "CD4"),
        ("HBsAg (+)", "HBsAg (-)"),
        ("1.5 mg", "15 mg"),
        ("a b", "ab"),
        ("Na", "NA"),
        ("What does 'Na' stand for?", "What does 'NA' stand for?"),
        ("NO", "No"),
        ("Co", "CO"),
        ("KRAS wt", "KRAS WT"),
        ("KRAS", "Kras"),
        ("BRCA1", "Brca1"),
        ("5 mM", "5 Mm"),
        ("mg", "Mg"),
        ("Give 5 mg of Mg", "Give 5 Mg of Mg"),
        ("Genotype Aa", "Genotype aa"),
        ("Genotype A", "Genotype a"),
        ("What is ALL?", "What is all?"),
        ("10⁶", "106"),
        ("5² units", "52 units"),
        ("10⁻⁶ M", "10-6 M"),
        ("1½ tablets", "11/2 tablets"),
    ],
)
def test_texts_that_differ_in_meaning_stay_different(one, other):
    assert kept([row(0, "Say what it means.", one), row(1, "Say what it means.", other)]) == [
        True,
        True,
    ]


def test_one_instruction_with_many_inputs_keeps_every_row():
    rows = [row(n, "Answer the patient's question.", f"I have sign {n}.") for n in range(500)]
    assert all(kept(rows))


def test_another_output_does_not_make_a_row_new_and_the_verdict_says_so():
    rows = [
        row(0, "Answer.", "Why?", "A virus."),
        row(1, "answer", "why", "A bacterium."),
        row(2, "Answer", "Why?", "A virus.\n"),
    ]
    verdicts = ExactFilter([]).check(rows)
    assert [(v.novel, v.nearest_id, v.score, v.other_output) for v in verdicts] == [
        (True, None, None, None),
        (False, "row-0", 1.0, True),
        (False, "row-0", 1.0, False),
    ]
    assert {verdict.measure for verdict in verdicts} == {"exact"}


def test_a_row_repeats_a_seed_only_with_the_seeds_input():
    seed = NamedInstruction("seed-1", "Find the dose.", "Takes aspirin 75 mg.", "75 mg")
    rows = [
        row(0, "Find the dose.", "Takes aspirin 75 mg", "75 mg"),
        row(1, "Find the dose.", "Takes aspirin 100 mg."),
    ]
    verdicts = ExactFilter([seed]).check(rows)
    assert [(v.novel, v.nearest_id) for v in verdicts] == [(False, "seed-1"), (True, None)]


def test_text_never_moves_between_instruction_and_input():
    assert kept([row(0, "a b", "c"), row(1, "a", "b c"), row(2, "a b c", "")]) == [True] * 3


def test_half_a_surrogate_pair_can_be_compared():
    assert kept([row(0, "a \ud800"), row(1, "A \ud800."), row(2, "a")]) == [True, False, True]


TEXTS = st.sampled_from(["Why?", "why", "How?", "", "?", "¿how", "什么"])


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=20), st.lists(st.integers(0, 20), max_size=4))
def test_any_portions_give_the_verdicts_of_a_plain_loop(pairs, cuts):
    rows = [row(n, *pair) for n, pair in enumerate(pairs)]
    seen: dict[tuple[str, str], str] = {}
    expected = []
    for one in rows:
        key = (normalised(one.instruction), normalised(one.input))
        expected.append(seen.get(key))
        seen.setdefault(key, one.id)
    growing = ExactFilter([])
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    found = [v for a, b in itertools.pairwise(edges) for v in growing.check(rows[a:b])]
    assert [verdict.nearest_id for verdict in found] == expected
