"""The signs of a row, and how they are said in words."""

import pytest

from bioinstruct_dagster.curation.quality.grounding.learned.sign_texts import sign_texts
from bioinstruct_dagster.curation.quality.grounding.learned.signs import (
    asked_signs,
    is_short,
    told_signs,
)
from bioinstruct_dagster.curation.quality.grounding.learned.tokens import TOKEN, tokens_of


def test_words_have_classes_and_small_words_keep_their_name():
    kinds = [one.kind for one in tokens_of("Reports of a patient: 12 [x] CRP was")]
    assert kinds == ["document", "of", "small", "person", ":", "figure", "gap", "acronym", "verb"]
    assert [one.noun for one in tokens_of("Reports was")] == ["report", "was"]


def test_the_verb_stands_after_the_given_part():
    assert asked_signs("Given a note, list the drugs.", "x").verb == "list"
    assert asked_signs("List the drugs.", "x").verb == "list"


def test_a_pointer_leads_to_the_next_material():
    signs = dict(asked_signs("Read the long report of a patient.", "x").signs)
    assert signs["points"] == {"the document"}
    assert signs["points at"] == {"report"}


def test_an_input_that_names_the_pointed_noun_again_is_seen():
    for text, says in (("Report of a man", "repeats"), ("Gout", "lacks")):
        signs = dict(asked_signs("Summarize the report.", text).signs)
        assert signs["pointed noun"][0].startswith(says)


def test_figures_that_the_row_gives_are_not_new():
    asked = asked_signs("Give the dose.", "Aspirin 100 mg")
    for output, count in (("100 mg", "0"), ("1. 100 mg", "0"), ("250 mg", "1")):
        signs = dict(told_signs(output, "Aspirin 100 mg", "Give the dose.", asked))
        assert signs["new figures"] == (count,)


def test_empty_and_long_inputs_are_not_short():
    assert is_short("one")
    assert is_short("word " * 44)
    assert not any(map(is_short, ("", "word " * 46, "x" * 601)))


def test_signs_are_said_once_and_those_without_a_sentence_are_left_out():
    signs = [
        ("new words", "12"),
        ("two classes", "of small"),
        ("share of new words", "3"),
        ("new figures", "0"),
        ("pointed noun", "repeats, material"),
        ("verb", "extract"),
        ("input word", "report"),
    ]
    assert sign_texts(signs) == [
        "the output has words that the row does not give",
        "the task points at a material, and the input names it again",
        'the task begins with "extract"',
    ]


@pytest.mark.parametrize(
    "text",
    [
        "The patient's x-ray, read at 10:30 (a.m.): 5.5% of 1,000.",
        "See https://example.org/a.pdf, http or httpd; HTTP was an\u00a0acronym.",
        "A list [of several drugs] and {a note} ... and … or ____.",
        "Naïve “quotes”, ſharp ²signs² Ⅷ a’b -- ?! x_y",
        "",
    ],
)
def test_the_tokens_of_a_text_are_those_of_the_whole_expression(text):
    for _ in range(2):  # the second time, they are remembered
        found = tokens_of(text)
        assert len(found) == len(TOKEN.findall(text))
        assert [one.noun for one in found] == [
            tokens_of(one)[0].noun for one in TOKEN.findall(text)
        ]
