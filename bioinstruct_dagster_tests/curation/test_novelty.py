"""Novelty against the reference: a plain greedy loop over Google's `rouge_score`."""

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer

from bioinstruct_dagster.curation import novelty
from bioinstruct_dagster.curation.novelty import (
    NoveltyFilter,
    Text,
    Verdict,
    judge_novelty,
    rouge_l_f1_of_texts,
    tokenize,
)
from bioinstruct_dagster.generation.replies import read_reply
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS, PROJECT_ROOT

PUBLISHED = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"


class RememberingTokenizer(DefaultTokenizer):
    """`rouge_score`'s own tokens, each text tokenised once."""

    def __init__(self):
        super().__init__()
        self._seen: dict[str, list[str]] = {}

    def tokenize(self, text):
        if text not in self._seen:
            self._seen[text] = super().tokenize(text)
        return self._seen[text]


def judge_plainly(seeds: Sequence[Text], candidates: Sequence[Text]) -> list[Verdict]:
    """Self-Instruct's loop, one `rouge_score` call a pair."""
    scorer = RougeScorer(["rougeL"], tokenizer=RememberingTokenizer())
    kept = list(seeds)
    verdicts = []
    for candidate in candidates:
        nearest_id, highest = None, 0.0
        for other in kept:
            score = scorer.score(other.instruction, candidate.instruction)["rougeL"].fmeasure
            if score > highest:
                nearest_id, highest = other.id, score
        novel = not highest > 0.7
        verdicts.append(Verdict(candidate.id, novel, nearest_id, highest))
        if novel:
            kept.append(candidate)
    return verdicts


def as_texts(instructions: Sequence[str], prefix: str) -> list[Text]:
    return [Text(f"{prefix}-{number}", text) for number, text in enumerate(instructions)]


def recorded_instructions() -> list[str]:
    return [
        task["instruction"]
        for recording in read_recordings()
        for task in read_reply(recording.content, "stop", None).tasks
    ]


def seed_texts() -> list[Text]:
    return [
        Text(seed.id, seed.instruction) for seed in read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    ]


WORDS = st.sampled_from(["a", "b", "c", "D", "7", "β", "血圧", "Na+"])
SEPARATORS = st.sampled_from([" ", "-", ", ", "\n"])
SEQUENCES = st.builds(
    lambda words, separator: separator.join(words), st.lists(WORDS, max_size=14), SEPARATORS
)
ODD_TEXTS = st.sampled_from(
    ["", "a", "A.", "δοσολογία του φαρμάκου", "高血压的治疗", "β-blocker", "—", "7", "İ", "K 5"]
)
INSTRUCTIONS = st.one_of(SEQUENCES, ODD_TEXTS)


@st.composite
def pools(draw) -> tuple[list[Text], list[Text]]:
    """Seeds and candidates, some of them word for word the same."""
    pool = draw(st.lists(INSTRUCTIONS, min_size=1, max_size=12))
    seeds = draw(st.lists(st.sampled_from(pool), max_size=4))
    candidates = draw(st.lists(st.sampled_from(pool), max_size=14))
    return as_texts(seeds, "seed"), as_texts(candidates, "row")


@given(pools(), st.integers(1, 16))
def test_any_texts_get_the_verdicts_of_rouge_score_at_any_block_size(texts, block):
    seeds, candidates = texts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(novelty, "_BLOCK", block)
        assert judge_novelty(seeds, candidates) == judge_plainly(seeds, candidates)


@given(pools(), st.data())
def test_growing_the_candidates_changes_no_earlier_verdict(texts, data):
    seeds, candidates = texts
    cut = data.draw(st.integers(0, len(candidates)))
    assert judge_novelty(seeds, candidates[:cut]) == judge_novelty(seeds, candidates)[:cut]


@given(pools(), st.lists(st.integers(0, 40), max_size=6))
def test_candidates_in_portions_of_any_size_get_the_same_verdicts(texts, cuts):
    seeds, candidates = texts
    growing = NoveltyFilter(seeds)
    edges = [0, *sorted(min(cut, len(candidates)) for cut in cuts), len(candidates)]
    found = [
        verdict
        for start, end in itertools.pairwise(edges)
        for verdict in growing.judge(candidates[start:end])
    ]
    assert found == judge_novelty(seeds, candidates)


@given(st.one_of(st.text(), INSTRUCTIONS))
def test_tokens_are_those_of_rouge_score(text):
    assert tokenize(text) == DefaultTokenizer().tokenize(text)


def test_recorded_instructions_get_the_verdicts_of_rouge_score():
    seeds, candidates = seed_texts(), as_texts(recorded_instructions()[:120], "row")
    verdicts = judge_novelty(seeds, candidates)
    assert verdicts == judge_plainly(seeds, candidates)
    assert {verdict.novel for verdict in verdicts} == {True, False}


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published rows are not part of the project")
def test_published_rows_get_the_verdicts_of_rouge_score():
    lines = PUBLISHED.read_text("utf-8").split("\n")[:300]
    candidates = as_texts([json.loads(line)["instruction"] for line in lines], "row")
    assert judge_novelty([], candidates) == judge_plainly([], candidates)


@pytest.mark.parametrize("block", [1, 2, 7, 100, 1_000])
def test_block_size_makes_no_difference(block, monkeypatch):
    seeds, candidates = seed_texts(), as_texts(recorded_instructions(), "row")
    usual = judge_novelty(seeds, candidates)
    monkeypatch.setattr(novelty, "_BLOCK", block)
    assert judge_novelty(seeds, candidates) == usual


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
    (verdict,) = judge_novelty([Text("seed", seed)], [Text("row", candidate)])
    assert verdict.novel is novel
    assert verdict.nearest_id == "seed"


def test_every_exact_tie_of_up_to_forty_tokens_falls_as_in_rouge_score():
    outcomes = []
    for left in range(1, 41):
        for right in range(1, 41):
            common, rest = divmod(7 * (left + right), 20)
            if rest or common > min(left, right):
                continue
            seed, candidate = pair_with_common_tokens(left, right, common)
            texts = [Text("seed", seed)], [Text("row", candidate)]
            (verdict,) = judge_novelty(*texts)
            assert [verdict] == judge_plainly(*texts), (left, right)
            outcomes.append(verdict.novel)
    assert set(outcomes) == {True, False}


def test_of_equally_similar_texts_the_earliest_is_named_nearest():
    seeds = as_texts(["name the drug", "name the drug"], "seed")
    (verdict,) = judge_novelty(seeds, [Text("row", "Name the drug.")])
    assert verdict == Verdict("row", novel=False, nearest_id="seed-0", score=1.0)


def test_a_dropped_row_is_not_what_later_rows_are_compared_with():
    # The second row repeats the first, and the third is near the second alone.
    first = "one two three four five six seven eight nine ten"
    second = "one two three four five six seven eight eleven twelve"
    third = "one two three four five six eleven twelve thirteen fourteen"
    verdicts = judge_novelty([], as_texts([first, second, third], "row"))
    assert [verdict.novel for verdict in verdicts] == [True, False, True]
    assert verdicts[2].nearest_id == "row-0"


def test_texts_without_latin_letters_or_digits_are_like_nothing():
    verdicts = judge_novelty([], as_texts(["高血压的治疗", "高血压的治疗", ""], "row"))
    assert [(v.novel, v.nearest_id, v.score) for v in verdicts] == [(True, None, 0.0)] * 3


def test_sixty_thousand_different_words_stay_apart():
    # One character a word: past 55,295 of them the characters skip the surrogates.
    words = [f"word{number}" for number in range(60_000)]
    late = words[57_000:57_010]
    candidates = [
        " ".join(late),
        " ".join(late[:7] + words[58_000:58_003]),  # 7 of 10 words of the first: exactly 0.7
        " ".join(late[:8] + words[59_000:59_002]),  # 8 of 10
    ]
    verdicts = judge_novelty([Text("seed", " ".join(words))], as_texts(candidates, "row"))
    assert [verdict.novel for verdict in verdicts] == [True, True, False]
    assert (verdicts[2].nearest_id, verdicts[2].score) == ("row-0", 0.8000000000000002)


@given(st.lists(INSTRUCTIONS, max_size=4), st.lists(INSTRUCTIONS, max_size=4))
def test_all_pairs_are_scored_as_by_rouge_score(left, right):
    scorer = RougeScorer(["rougeL"])
    scores = rouge_l_f1_of_texts(left, right)
    assert scores.shape == (len(left), len(right))
    assert scores.tolist() == [
        [scorer.score(one, other)["rougeL"].fmeasure for other in right] for one in left
    ]
