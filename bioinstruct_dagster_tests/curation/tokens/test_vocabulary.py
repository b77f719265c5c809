"""Tokens and their numbers against `rouge_score`'s tokenizer."""

import itertools
import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rouge_score.tokenizers import DefaultTokenizer

from bioinstruct_dagster.curation.tokens import vocabulary as tokens
from bioinstruct_dagster.curation.tokens.vocabulary import (
    Vocabulary,
    is_half_unseen,
    tokenize,
    tokenize_unicode,
)

ROUGE = DefaultTokenizer()
ANY_TEXT = st.one_of(
    st.text(),
    st.text(st.sampled_from("aZ09 -\0\udc80İKéβ\n")),
    st.text(st.characters(codec=None)),
)


def split(encoded, vocabulary: Vocabulary) -> list[list[str]]:
    """The tokens behind the numbers."""
    return [
        [vocabulary.token(number) for number in encoded.tokens[start:end]]
        for start, end in itertools.pairwise(encoded.offsets)
    ]


@given(ANY_TEXT)
@example("İstanbul and 5 K, 300 K")
def test_tokens_are_those_of_rouge_score(text):
    assert tokenize(text) == ROUGE.tokenize(text)


@given(st.lists(ANY_TEXT, max_size=6))
@example(["İstanbul 5 K", "a\0b", "", "\ud800x"])
def test_numbered_tokens_are_those_of_rouge_score(texts):
    vocabulary = Vocabulary()
    assert split(vocabulary.encode(texts), vocabulary) == [ROUGE.tokenize(text) for text in texts]


def test_each_character_is_lowered_as_in_rouge_score():
    texts = [f"x{chr(code)}y" for code in range(sys.maxunicode + 1)]
    vocabulary = Vocabulary()
    encoded = vocabulary.encode(texts)
    plain = vocabulary.encode(["x y"]).tokens.tolist()
    odd = [
        code
        for code, (start, end) in enumerate(itertools.pairwise(encoded.offsets))
        if encoded.tokens[start:end].tolist() != plain
    ]
    # All characters but these separate two tokens.
    assert odd == [
        code for code in range(sys.maxunicode + 1) if re.search("[a-z0-9]", chr(code).lower())
    ]
    assert [split(vocabulary.encode([texts[code]]), vocabulary)[0] for code in odd] == [
        ROUGE.tokenize(texts[code]) for code in odd
    ]


@given(st.lists(st.text(st.sampled_from("ab ")), max_size=8), st.integers(1, 20))
def test_texts_in_chunks_of_any_size_get_the_same_numbers(texts, size):
    at_once = Vocabulary().encode(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_CHUNK_CHARACTERS", size)
        in_chunks = Vocabulary().encode(texts)
    assert in_chunks.tokens.tolist() == at_once.tokens.tolist()
    assert in_chunks.offsets.tolist() == at_once.offsets.tolist()


def test_numbers_last_while_the_vocabulary_grows():
    vocabulary = Vocabulary()
    words = [f"word{number}" for number in range(60_000)]
    first = vocabulary.encode(words[:10]).tokens.tolist()
    assert vocabulary.encode([" ".join(words)]).tokens.tolist() == list(range(60_000))
    assert len(vocabulary) == 60_000
    assert vocabulary.encode(words[:10]).tokens.tolist() == first
    assert [vocabulary.token(number) for number in (0, 31_415, 59_999)] == [
        "word0",
        "word31415",
        "word59999",
    ]


def test_one_token_longer_than_all_tables():
    vocabulary = Vocabulary()
    assert split(vocabulary.encode(["a" * 100_000 + " b"]), vocabulary) == [["a" * 100_000, "b"]]


def test_an_unknown_number_has_no_token():
    with pytest.raises(IndexError):
        Vocabulary().token(0)


def test_a_hash_depends_on_the_token_alone():
    one, other = Vocabulary(), Vocabulary()
    one.encode(["drug dose"])
    other.encode(["what dose of the drug"])
    assert one.hashes.tolist() == other.hashes[[4, 1]].tolist()
    code = (
        "from bioinstruct_dagster.curation.tokens.vocabulary import Vocabulary; "
        "v = Vocabulary(); v.encode(['drug dose']); print(v.hashes.tolist())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(one.hashes.tolist())


@given(st.lists(st.text(st.characters(blacklist_characters=" \0", codec="utf-8"), min_size=1)))
def test_tokens_split_elsewhere_are_numbered_as_they_are(given_tokens):
    vocabulary = Vocabulary()
    encoded = vocabulary.encode_tokens([given_tokens, []])
    assert split(encoded, vocabulary) == [given_tokens, []]


@given(st.lists(st.text(st.sampled_from("ab ")), max_size=8), st.data())
def test_a_part_has_the_tokens_of_its_texts(texts, data):
    vocabulary = Vocabulary()
    start = data.draw(st.integers(0, len(texts)))
    stop = data.draw(st.integers(start, len(texts)))
    part = vocabulary.encode(texts).part(start, stop)
    assert split(part, vocabulary) == [tokenize(text) for text in texts[start:stop]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Δόση ΤΟΥ φαρμάκου", ["δόση", "του", "φαρμάκου"]),
        ("高血压的治疗 100 mg", ["高", "血", "压", "的", "治", "疗", "100", "mg"]),
        ("ﾍﾓｸﾞﾛﾋﾞﾝは", ["ヘ", "モ", "グ", "ロ", "ビ", "ン", "は"]),
        ("ยา 2 เม็ด", ["ย", "า", "2", "เ", "ม", "\u0e47", "ด"]),
        ("दवा की खुराक", ["दवा", "की", "खुराक"]),
        ("혈압 약", ["혈압", "약"]),
        ("β-blocker_５０ｍｇ", ["β", "blocker", "50mg"]),
        ("e\u0301tude Étude STRASSE straße", ["étude", "étude", "strasse", "strasse"]),
        ("— … 💊", []),
    ],
)
def test_tokens_of_any_script(text, expected):
    assert tokenize_unicode(text) == expected


def test_long_runs_of_combining_marks_are_broken_up():
    # Sorting them, as normalisation must, takes quadratic time.
    found = tokenize_unicode("a" + "\u0301\u0316" * 200_000)
    assert max(map(len, found)) <= 32
    assert sum(map(len, found)) >= 390_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Explain the β-blocker", False),
        ("高血压的治疗", True),
        ("高 abc", False),
        ("高血压 abc", True),
        ("高血压 a b c", False),
        ("COVID-19 vaccination 后能喝酒吗", True),
        ("Décrivez les symptômes de la grippe", False),
        ("αβ ab", False),
        ("αβγ 77", True),
        ("", True),
        ("—", True),
        ("K", False),
    ],
)
def test_text_in_other_scripts_is_half_unseen(text, expected):
    assert is_half_unseen(text) is expected


def test_words_of_ascii_texts_keep_their_underscores():
    vocabulary = Vocabulary()
    first = vocabulary.encode_words(["The goal_keeper's 2 KNEES", "", "the"])
    assert vocabulary.tokens_from(0) == ["the", "goal_keeper", "s", "2", "knees"]
    assert first.tokens.tolist() == [0, 1, 2, 3, 4, 0]
    assert first.lengths.tolist() == [5, 0, 1]
    known = len(vocabulary)
    vocabulary.encode_words(["the hip and knees"])
    assert vocabulary.tokens_from(known) == ["hip", "and"]
    assert vocabulary.tokens_from(len(vocabulary)) == []
