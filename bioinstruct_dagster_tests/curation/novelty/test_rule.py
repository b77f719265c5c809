"""Novelty against the reference: a plain greedy loop over Google's `rouge_score`."""

import itertools
import json
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer

from bioinstruct_dagster.curation.novelty.rule import (
    NamedInstruction,
    NoveltyFilter,
    NoveltyVerdict,
    check_in_process,
    nearest_text,
    rouge_l_f1_of_texts,
)
from bioinstruct_dagster.curation.tokens.vocabulary import tokenize_unicode
from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS, PROJECT_ROOT

PUBLISHED = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"


class Remembering:
    """A tokenizer that splits each text once."""

    def __init__(self, split):
        self._split = split
        self._seen: dict[str, list[str]] = {}

    def tokenize(self, text):
        if text not in self._seen:
            self._seen[text] = self._split(text)
        return self._seen[text]


def most_similar(
    scorer: RougeScorer, text: str, kept: Sequence[NamedInstruction]
) -> tuple[str | None, float]:
    nearest_id, highest = None, 0.0
    for other in kept:
        score = scorer.score(other.instruction, text)["rougeL"].fmeasure
        if score > highest:
            nearest_id, highest = other.id, score
    return nearest_id, highest


def check_plainly(
    seeds: Sequence[NamedInstruction], candidates: Sequence[NamedInstruction]
) -> list[NoveltyVerdict]:
    """Self-Instruct's loop, one `rouge_score` call a pair, over the texts of the same measure."""
    scorers = {
        "rouge_score": RougeScorer(["rougeL"], tokenizer=Remembering(DefaultTokenizer().tokenize)),
        "unicode": RougeScorer(["rougeL"], tokenizer=Remembering(tokenize_unicode)),
    }
    kept = list(seeds)
    verdicts = []
    for candidate in candidates:
        measure = measure_of(candidate.instruction)
        alike = [other for other in kept if measure_of(other.instruction) == measure]
        nearest_id, score = most_similar(scorers[measure], candidate.instruction, alike)
        if score > 0.7:
            verdicts.append(NoveltyVerdict(candidate.id, False, nearest_id, score, measure))
        else:
            verdicts.append(NoveltyVerdict(candidate.id, True, None, None, measure))
            kept.append(candidate)
    return verdicts


def measure_of(text: str) -> str:
    """`unicode` if `rouge_score` reads less than half of the letters or of the words."""
    read = re.compile("[a-z0-9]")
    letters = [character for character in text.lower() if character.isalnum()]
    seen = sum(read.fullmatch(letter) is not None for letter in letters)
    if not seen or 2 * seen < len(letters):
        return "unicode"
    spaced = "".join(f" {c} " if c in "高血压的治疗" else c for c in text.lower())
    words = re.findall(r"[^\W_]+", spaced)
    seen_words = sum(read.search(word) is not None for word in words)
    return "unicode" if 2 * seen_words < len(words) else "rouge_score"


def as_texts(instructions: Sequence[str], prefix: str) -> list[NamedInstruction]:
    return [
        NamedInstruction(f"{prefix}-{number}", text) for number, text in enumerate(instructions)
    ]


def recorded_instructions() -> list[str]:
    return [
        task["instruction"]
        for recording in read_recordings()
        for task in read_reply(recording.content, "stop", None).tasks
    ]


def seed_texts() -> list[NamedInstruction]:
    return [
        NamedInstruction(seed.id, seed.instruction)
        for seed in read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    ]


WORDS = st.sampled_from(["a", "b", "c", "D", "7", "β", "血圧", "Na+"])
SEPARATORS = st.sampled_from([" ", "-", ", ", "\n"])
SEQUENCES = st.builds(
    lambda words, separator: separator.join(words), st.lists(WORDS, max_size=14), SEPARATORS
)
ODD_TEXTS = st.sampled_from(
    ["", "a", "A.", "δοσολογία του φαρμάκου", "高血压的治疗", "β-blocker", "—", "7", "İ", "K 5"]
)
GREEK = ["α", "β", "δόση", "του", "ΤΟΥ", "aspirin"]
OTHER_SCRIPTS = st.one_of(
    st.lists(st.sampled_from("高血压的治疗a7。 "), max_size=14).map("".join),
    st.lists(st.sampled_from(GREEK), max_size=10).map(" ".join),
)
INSTRUCTIONS = st.one_of(SEQUENCES, ODD_TEXTS, OTHER_SCRIPTS)


@st.composite
def pools(draw) -> tuple[list[NamedInstruction], list[NamedInstruction]]:
    """Seeds and candidates, some of them word for word the same."""
    pool = draw(st.lists(INSTRUCTIONS, min_size=1, max_size=12))
    seeds = draw(st.lists(st.sampled_from(pool), max_size=4))
    candidates = draw(st.lists(st.sampled_from(pool), max_size=14))
    return as_texts(seeds, "seed"), as_texts(candidates, "row")


@given(pools(), st.integers(1, 16))
def test_any_texts_get_the_verdicts_of_rouge_score(texts, block):
    seeds, candidates = texts
    assert NoveltyFilter(seeds, block=block).check(candidates) == check_plainly(seeds, candidates)


@given(pools(), st.data())
def test_growing_the_candidates_changes_no_earlier_verdict(texts, data):
    seeds, candidates = texts
    cut = data.draw(st.integers(0, len(candidates)))
    assert check_in_process(seeds, candidates[:cut]) == check_in_process(seeds, candidates)[:cut]


@given(pools(), st.lists(st.integers(0, 40), max_size=6))
def test_portions_of_any_size_get_the_same_verdicts(texts, cuts):
    seeds, candidates = texts
    growing = NoveltyFilter(seeds)
    edges = [0, *sorted(min(cut, len(candidates)) for cut in cuts), len(candidates)]
    found = [
        verdict
        for start, end in itertools.pairwise(edges)
        for verdict in growing.check(candidates[start:end])
    ]
    assert found == check_in_process(seeds, candidates)


def test_recorded_instructions_get_the_verdicts_of_rouge_score():
    seeds, candidates = seed_texts(), as_texts(recorded_instructions()[:120], "row")
    verdicts = check_in_process(seeds, candidates)
    assert verdicts == check_plainly(seeds, candidates)
    assert {verdict.novel for verdict in verdicts} == {True, False}


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published rows are not part of the project")
def test_published_rows_get_the_verdicts_of_rouge_score():
    lines = PUBLISHED.read_text("utf-8").split("\n")[:300]
    candidates = as_texts([json.loads(line)["instruction"] for line in lines], "row")
    assert check_in_process([], candidates) == check_plainly([], candidates)


@pytest.mark.parametrize("block", [1, 2, 7, 100, 1_000])
@pytest.mark.parametrize("threads", [1, 3])
def test_neither_block_size_nor_threads_make_a_difference(block, threads):
    seeds, candidates = seed_texts(), as_texts(recorded_instructions(), "row")
    usual = check_in_process(seeds, candidates)
    assert NoveltyFilter(seeds, block=block, threads=threads).check(candidates) == usual


def test_texts_without_ids_get_the_same_verdicts():
    seeds, candidates = (
        seed_texts(),
        as_texts([*recorded_instructions()[:300], "", "高血压"], "row"),
    )
    verdicts = check_in_process(seeds, candidates)
    growing = NoveltyFilter(seeds)
    columns = [
        growing.check_texts([text.instruction for text in candidates[a : a + 90]])
        for a in range(0, len(candidates), 90)
    ]
    novel, places, scores, second = (
        np.concatenate(column) for column in zip(*columns, strict=True)
    )
    kept = [seed.id for seed in seeds] + [v.id for v in verdicts if v.novel]
    assert len(growing) == len(kept)
    assert [
        NoveltyVerdict(
            candidate.id,
            bool(novel[i]),
            None if novel[i] else kept[places[i]],
            None if novel[i] else scores[i],
            "unicode" if second[i] else "rouge_score",
        )
        for i, candidate in enumerate(candidates)
    ] == verdicts
    assert set(places[novel].tolist()) == {-1}
    assert set(scores[novel].tolist()) == {0.0}


def pair_with_common_tokens(left: int, right: int, common: int) -> tuple[str, str]:
    """Two texts of so many tokens, so many of them common, in the same order."""
    shared = [f"common{i}" for i in range(common)]
    lefts = [f"left{i}" for i in range(left - common)]
    rights = [f"right{i}" for i in range(right - common)]
    return " ".join(shared + lefts), " ".join(shared + rights)


@pytest.mark.parametrize(
    ("left", "right", "common", "novel"),
    [
        pytest.param(7, 13, 7, False, id="7 and 13 tokens: 0.7000000000000001"),
        pytest.param(13, 7, 7, False, id="13 and 7 tokens: 0.7000000000000001"),
        pytest.param(10, 10, 7, True, id="10 and 10 tokens: 0.7"),
        pytest.param(10, 10, 8, False, id="one token above the tie"),
        pytest.param(7, 14, 7, True, id="one token below the tie"),
    ],
)
def test_a_tie_is_decided_by_floating_point_as_in_self_instruct(left, right, common, novel):
    seed, candidate = pair_with_common_tokens(left, right, common)
    (verdict,) = check_in_process(
        [NamedInstruction("seed", seed)], [NamedInstruction("row", candidate)]
    )
    assert verdict.novel is novel
    assert verdict.nearest_id == (None if novel else "seed")


def test_every_exact_tie_falls_as_in_rouge_score():
    outcomes = []
    for left in range(1, 41):
        for right in range(1, 41):
            common, rest = divmod(7 * (left + right), 20)
            if rest or common > min(left, right):
                continue
            seed, candidate = pair_with_common_tokens(left, right, common)
            texts = [NamedInstruction("seed", seed)], [NamedInstruction("row", candidate)]
            (verdict,) = check_in_process(*texts)
            assert [verdict] == check_plainly(*texts), (left, right)
            outcomes.append(verdict.novel)
    assert set(outcomes) == {True, False}


def test_of_equally_similar_texts_the_earliest_is_named_nearest():
    seeds = as_texts(["name the drug", "name the drug"], "seed")
    (verdict,) = check_in_process(seeds, [NamedInstruction("row", "Name the drug.")])
    assert verdict == NoveltyVerdict("row", False, "seed-0", 1.0, "rouge_score")


def test_a_dropped_row_blocks_no_later_row():
    # The second row repeats the first, and the third is near the second alone.
    first = "one two three four five six seven eight nine ten"
    second = "one two three four five six seven eight eleven twelve"
    third = "one two three four five six eleven twelve thirteen fourteen"
    verdicts = check_in_process([], as_texts([first, second, third], "row"))
    assert [verdict.novel for verdict in verdicts] == [True, False, True]


def test_the_second_measure_checks_other_scripts():
    texts = [
        "高血压的治疗",
        "高血压的治疗。",
        "Δόση του φαρμάκου",
        "ΔΌΣΗ ΤΟΥ ΦΑΡΜΆΚΟΥ",
        "",
        "—",
        "—",
    ]
    verdicts = check_in_process([], as_texts(texts, "row"))
    assert [(v.novel, v.nearest_id, v.score) for v in verdicts] == [
        (True, None, None),
        (False, "row-0", 1.0),
        (True, None, None),
        (False, "row-2", 1.0),
        *[(True, None, None)] * 3,
    ]
    assert {verdict.measure for verdict in verdicts} == {"unicode"}


@pytest.mark.parametrize(
    "texts",
    [
        ["HIV的传播途径有哪些？", "HIV的早期症状是什么？"],
        ["20岁男性经常头痛怎么办", "患者20岁，如何控制血糖"],
        ["Как лечить HIV у детей?", "Чем опасен HIV при беременности?"],
        ["ما هي أعراض HIV؟", "كيف ينتقل HIV بين الناس؟"],
        ["HIV에 걸리면 어떻게 되나요?", "HIV 예방약은 누가 먹나요?"],
        ["Ποια είναι τα συμπτώματα του HIV;", "Πώς μεταδίδεται ο HIV;"],
        ["COVID-19 vaccination 后能喝酒吗", "COVID-19 vaccination 前要禁食吗"],
        ["HIV", "HIV的传播途径有哪些？"],
        ["治疗方案 a b c", "a b c"],
    ],
)
def test_texts_that_share_only_a_latin_word_are_different(texts):
    for order in (texts, texts[::-1]):
        assert [v.novel for v in check_in_process([], as_texts(order, "row"))] == [True, True]


@pytest.mark.parametrize(
    "texts",
    [
        ["HIV的早期症状是什么？", "HIV 的早期症状是什么"],
        ["Как лечить HIV у детей?", "как лечить hiv у детей"],
        ["HIV 예방약은 누가 먹나요?", "HIV 예방약은 누가 먹나요"],
    ],
)
def test_a_repeat_in_another_script_is_a_repeat(texts):
    for order in (texts, texts[::-1]):
        verdicts = check_in_process([], as_texts(order, "row"))
        assert [(v.novel, v.measure) for v in verdicts] == [(True, "unicode"), (False, "unicode")]


def test_the_second_measure_skips_rows_in_latin_script():
    texts = ["Explain β-blockers to a patient", "高血压"]
    assert [v.measure for v in check_in_process([], as_texts(texts, "row"))] == [
        "rouge_score",
        "unicode",
    ]


def test_kept_rows_need_no_checking():
    growing = NoveltyFilter([])
    growing.keep(as_texts(["one two three", "one two three", "高血压"], "old"))
    verdicts = growing.check(as_texts(["one two three", "高血压"], "row"))
    assert [v.nearest_id for v in verdicts] == ["old-0", "old-2"]


def test_sixty_thousand_different_words_stay_apart():
    # One character a word: past 55,295 of them the characters skip the surrogates.
    words = [f"word{number}" for number in range(60_000)]
    late = words[57_000:57_010]
    candidates = [
        " ".join(late),
        " ".join(late[:7] + words[58_000:58_003]),  # 7 of 10 words of the first: exactly 0.7
        " ".join(late[:8] + words[59_000:59_002]),  # 8 of 10
    ]
    verdicts = check_in_process(
        [NamedInstruction("seed", " ".join(words))], as_texts(candidates, "row")
    )
    assert [verdict.novel for verdict in verdicts] == [True, True, False]
    assert (verdicts[2].nearest_id, verdicts[2].score) == ("row-0", 0.8000000000000002)


def test_the_nearest_text_is_found_at_any_score():
    among = ["one two three", "three four five", "three four five", ""]
    assert nearest_text("four five six", among) == (1, 2 / 3)
    assert nearest_text("seven", among) is None
    assert nearest_text("seven", []) is None
    assert nearest_text("血压", ["高血压"], "unicode") == (0, 0.8)


@given(st.lists(INSTRUCTIONS, max_size=4), st.lists(INSTRUCTIONS, max_size=4))
def test_all_pairs_are_scored_as_by_rouge_score(left, right):
    scorer = RougeScorer(["rougeL"])
    scores = rouge_l_f1_of_texts(left, right)
    assert scores.shape == (len(left), len(right))
    assert scores.tolist() == [
        [scorer.score(one, other)["rougeL"].fmeasure for other in right] for one in left
    ]
