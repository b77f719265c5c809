"""The compiled rules against plain Python, and against real evaluation items where they are."""

import random
from collections import Counter

import pytest
from rouge_score.rouge_scorer import RougeScorer

from bioinstruct_dagster.curation.contamination.gate import ContaminationGate
from bioinstruct_dagster.curation.contamination.limits import (
    BoilerplateLimits,
    ComparedItems,
    CoverageLimits,
    NgramLimits,
    OverlapLimits,
    ReorderedLimits,
    RougeLimits,
    WholeItemLimits,
    read_limits,
)
from bioinstruct_dagster.curation.contamination.overlap import ItemIndex
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.tokens.vocabulary import tokenize
from bioinstruct_dagster.eval_sets.items import EvaluationItem, collect_items, load_items
from bioinstruct_dagster.settings import PROJECT_ROOT

REAL = PROJECT_ROOT.parent / "shared" / "data" / "eval"
SCORER = RougeScorer(["rougeL"])
# Small numbers, so that short random texts of few words hit every rule often, and often just not.
SMALL = OverlapLimits(
    ngram=NgramLimits(tokens=4),
    coverage=CoverageLimits(tokens=3, share=0.5),
    boilerplate=BoilerplateLimits(texts=2),
    rouge_l=RougeLimits(f1=0.7, question=3, answer=4),
    reordered=ReorderedLimits(dice=0.8, question=3, answer=4),
    whole_item=WholeItemLimits(question=3, answer=4, passage=4, with_answer=4),
)


def text(source, longest, words):
    return " ".join(source.choice("abcdefghij"[:words]) for _ in range(source.randint(0, longest)))


def cases(seed, words):
    source = random.Random(seed)
    items = [
        EvaluationItem(
            task=source.choice(["one", "two"]),
            id=str(number),
            question=text(source, 9, words),
            answers=tuple(text(source, 7, words) for _ in range(source.randint(0, 2))),
            options=tuple(text(source, 3, words) for _ in range(source.choice([0, 0, 3]))),
            context=tuple(text(source, 12, words) for _ in range(source.randint(0, 2))),
        )
        for number in range(12)
    ]
    rows = [RowTexts(*(text(source, 14, words) for _ in range(3))) for _ in range(60)]
    return items, rows


def grams(tokens, size):
    return {tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1)}


def holds(tokens, piece):
    return tuple(piece) in grams(tokens, len(piece))


class Plain:
    """The rules as they are told in the docs, in a few lines of Python each."""

    def __init__(self, items):
        self.items = items
        self.texts = {}  # (role, tokens) -> items that have it, in order
        for number, item in enumerate(items):
            named = [("question", item.question), *(("answer", each) for each in item.answers)]
            named += [("passage", each) for each in item.context]
            if item.options:
                named.append(("question_with_options", "\n".join([item.question, *item.options])))
            for role, each in named:
                if tokens := tuple(tokenize(each)):
                    holders = self.texts.setdefault((role, tokens), [])
                    if number not in holders:
                        holders.append(number)

    def boilerplate(self, piece, roles):
        found = {
            holders[0]
            for (role, tokens), holders in self.texts.items()
            if role in roles and holds(tokens, piece)
        }
        return len(found) > SMALL.boilerplate.texts

    def hits(self, row):
        fields = [tokenize(each) for each in row]
        both = fields[0] + fields[1]
        texts = [*fields, both if fields[0] and fields[1] else []]
        found = set()
        for (role, tokens), holders in self.texts.items():
            firsts = {self.items[number].task: number for number in reversed(holders)}
            rules = set(self.rules(role, tokens, [both, fields[2]], texts))
            found |= {(rule, number) for rule in rules for number in firsts.values()}
            if role == "question" and not self.telling(role, tokens):
                found |= {
                    ("whole_item", number)
                    for number in holders
                    if self.with_answer(tokens, self.items[number], [both, fields[2]])
                }
        return found

    def telling(self, role, tokens):
        every = {"question", "answer", "passage", "question_with_options"}
        least = {"question": 3, "answer": 4, "passage": 4}.get(role, 99)
        return len(tokens) >= least and not self.boilerplate(tokens, every)

    def with_answer(self, tokens, item, runs):
        if not any(holds(run, tokens) for run in runs):
            return False
        held = [
            len(answer)
            for answer in map(tokenize, item.answers)
            if answer and any(holds(run, answer) for run in runs)
        ]
        return bool(held) and len(tokens) + max(held) >= SMALL.whole_item.with_answer

    def rules(self, role, tokens, runs, texts):
        plain = {"question", "answer", "passage"}
        if role in plain:
            if self.telling(role, tokens) and any(holds(run, tokens) for run in runs):
                yield "whole_item"
            shared = {
                size: {
                    gram
                    for gram in grams(tokens, size)
                    if any(holds(run, gram) for run in runs) and not self.boilerplate(gram, plain)
                }
                for size in (4, 3)
            }
            if shared[4]:
                yield "ngram_13"
            covered = {
                at + step
                for at in range(len(tokens) - 2)
                if tuple(tokens[at : at + 3]) in shared[3]
                for step in range(3)
            }
            if len(covered) > 0.5 * len(tokens):
                yield "coverage_8"
        least = {"question": 3, "question_with_options": 3, "answer": 4}.get(role, 99)
        every = plain | {"question_with_options"}
        whole = role == "question_with_options" or len(tokens) >= {"question": 1}.get(role, 4)
        if len(tokens) < least or (whole and role in plain and self.boilerplate(tokens, every)):
            return
        for other in texts:
            yield from self.likeness(tokens, other)

    def likeness(self, tokens, other):
        if not other:
            return
        f1 = SCORER.score(" ".join(tokens), " ".join(other))["rougeL"].fmeasure
        shared = sum((Counter(tokens) & Counter(other)).values())
        if f1 >= 0.7 - 1e-12:
            yield "rouge_l"
        elif 2 * shared / (len(tokens) + len(other)) >= 0.8:
            yield "reordered"


@pytest.mark.parametrize("words", [3, 6, 10])
@pytest.mark.parametrize("seed", range(8))
def test_hits_are_those_of_plain_python(seed, words):
    items, rows = cases(seed, words)
    index = ItemIndex(ComparedItems.of(collect_items(items), SMALL))
    found = [set() for _ in rows]
    for hit in index.scan(index.encode(rows)):
        found[hit.row].add((hit.rule, hit.item))
    plain = Plain(items)
    expected = [plain.hits(row) for row in rows]
    assert any(expected)
    assert found == expected


def test_likeness_scores_are_those_of_rouge_score():
    items, rows = cases(99, 8)
    index = ItemIndex(ComparedItems.of(collect_items(items), SMALL))
    encoded = index.encode(rows)
    by_role = {"question": lambda item: [item.question], "answer": lambda item: item.answers}
    scored = 0
    for hit in index.scan(encoded):
        role = index.role(hit)
        if hit.rule != "rouge_l" or role not in by_role:
            continue
        row = rows[hit.row]
        compared = [*row, f"{row.instruction} {row.input}"][hit.row_text]
        of_item = by_role[role](index.items[hit.item])
        scores = [SCORER.score(each, compared)["rougeL"].fmeasure for each in of_item]
        assert any(score == pytest.approx(hit.score, abs=1e-12) for score in scores)
        scored += 1
    assert scored > 10


real = pytest.mark.skipif(not REAL.is_dir(), reason="real evaluation items are not here")


@pytest.fixture(scope="module")
def real_gate():
    return ContaminationGate(ComparedItems.of(load_items(folder=REAL), read_limits()))


@pytest.fixture(scope="module")
def exam(real_gate):
    """Every seventh MedMCQA item, short questions and all."""
    return [item for item in real_gate.items.items if item.task == "medmcqa"][::7]


def caught(gate, rows):
    results = gate.check(rows)
    return sum(result.rejected for result in results) / len(rows)


FILLER = "the harbour was quiet and nobody had seen the grey cat since the boats went out. "


@real
def test_copies_of_real_items_are_caught(real_gate, exam):
    def row(item, question):
        return RowTexts("Choose the right option.", question, item.answers[0])

    forms = {
        "copy": lambda item: row(item, item.question),
        "with options": lambda item: row(item, "\n".join([item.question, *item.options])),
        "inside": lambda item: row(item, 5 * FILLER + item.question + "\n" + 5 * FILLER),
        "case and punctuation": lambda item: row(item, item.question.upper().replace(" ", " ,- ")),
    }
    shares = {
        name: caught(real_gate, [form(item) for item in exam]) for name, form in forms.items()
    }
    # What is missed are questions of one or two words with an answer of one word.
    assert min(shares.values()) >= 0.99, shares


@real
def test_real_items_in_another_word_order_are_caught(real_gate, exam):
    source = random.Random(5)
    long_enough = [item for item in exam if len(tokenize(item.question)) >= 5]
    assert len(long_enough) > 0.9 * len(exam)
    swapped, shuffled = [], []
    for item in long_enough:
        words = item.question.split()
        cut = source.randint(1, max(1, len(words) - 1))
        swapped.append(RowTexts("Answer.", " ".join([*words[cut:], *words[:cut]]), ""))
        shuffled.append(RowTexts("Answer.", " ".join(source.sample(words, len(words))), ""))
    assert caught(real_gate, swapped) >= 0.99
    assert caught(real_gate, shuffled) >= 0.99


@real
def test_an_item_without_its_task_is_not_caught(exam):
    others = load_items(folder=REAL)
    kept = [item for item in others.items if item.task != "medmcqa"]
    gate = ContaminationGate(ComparedItems.of(collect_items(kept), read_limits()))
    rows = [RowTexts(item.question, "", item.answers[0]) for item in exam]
    assert caught(gate, rows) <= 0.02
