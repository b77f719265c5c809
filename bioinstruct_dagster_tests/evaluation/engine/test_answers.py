"""An answer is that of transformers' `generate` for its prompt alone, whatever batch it is in."""

import random
from dataclasses import replace

import pytest
import torch
from transformers import GenerationConfig

from bioinstruct_dagster.evaluation.engine import answers as module
from bioinstruct_dagster.evaluation.engine.answers import answers
from bioinstruct_dagster.evaluation.engine.requests import AnswerRequest
from bioinstruct_dagster.models.prompts import RowTokenizer

NAMES = ("base", "plain", "down")
TOKENS = 12


@pytest.fixture(scope="module")
def requests(own_base, dataset_rows):
    """16 prompts of many lengths."""
    tokenizer = RowTokenizer(own_base.tokenizer, own_base.prompt)
    prompts = tokenizer.prompts([(row["instruction"], row["input"]) for row in dataset_rows[:16]])
    return [
        AnswerRequest(f"key-{at}", tuple(prompt), TOKENS - at % 5)
        for at, prompt in enumerate(prompts)
    ]


@pytest.fixture(scope="module")
def stopping(subjects):
    """The base model where a tenth of all tokens ends an answer, so that some end early."""
    own = subjects.base.prompt.stop_ids
    prompt = replace(subjects.base.prompt, stop_ids=(*own, *range(100, 2900, 10)))
    return replace(subjects.base, prompt=prompt)


def alone(subjects, base, subject, request):
    """The answer to one prompt by transformers."""
    greedy = GenerationConfig(
        do_sample=False,
        max_new_tokens=request.max_new_tokens,
        eos_token_id=list(base.prompt.stop_ids),
        pad_token_id=0,
    )
    ids = torch.tensor([request.prompt_ids])
    with subjects.alone(subject) as model, torch.inference_mode():
        output = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=greedy)[
            0, ids.shape[1] :
        ].tolist()
    text = base.tokenizer.decode(output, skip_special_tokens=True).replace("\0", "").strip()
    return text, len(output), output[-1] in base.prompt.stop_ids


def of(found):
    return {(name, one.key): (one.text, one.tokens, one.ended) for name, one in found}


@pytest.fixture(scope="module")
def expected(subjects, stopping, requests):
    return {
        (name, request.key): alone(subjects, stopping, name, request)
        for name in NAMES
        for request in requests
    }


def test_answers_equal_those_of_generate_in_batches_of_any_size_and_order(
    subjects, stopping, requests, expected
):
    assert len({one[1] for one in expected.values()}) > 4  # answers of several lengths
    assert {one[2] for one in expected.values()} == {True, False}
    for rows, seed in ((1, None), (7, 0), (32, 1)):
        work = {name: list(requests) for name in NAMES}
        if seed is not None:
            names = list(NAMES)
            random.Random(seed).shuffle(names)
            work = {name: random.Random(seed).sample(requests, len(requests)) for name in names}
        assert of(answers(subjects, stopping, work, rows=rows)) == expected


def test_a_model_of_another_form_is_answered_without_slots(
    subjects, stopping, requests, expected, monkeypatch
):
    monkeypatch.setattr(module, "carries", lambda *_: False)
    lines = []
    work = dict.fromkeys(NAMES, requests)
    assert of(answers(subjects, stopping, work, rows=7, log=lines.append)) == expected
    assert "another form" in lines[0]


def test_the_place_of_an_ended_row_is_taken(subjects, stopping, requests, monkeypatch):
    """With refill, the steps are those of the work, not of the longest answer of each batch."""
    steps = []
    step = module.Slots.step
    monkeypatch.setattr(
        module.Slots, "step", lambda self, *a: steps.append(len(a[1])) or step(self, *a)
    )
    found = of(answers(subjects, stopping, {"base": requests, "plain": requests}, rows=8))
    needed = sum(tokens - 1 for _, tokens, _ in found.values())
    assert needed <= sum(steps) <= 1.35 * needed


def test_progress_counts_answers_and_their_parts(subjects, stopping, requests):
    said = []
    found = list(
        answers(
            subjects,
            stopping,
            {"base": requests[:5], "down": requests[:5]},
            rows=4,
            tell=lambda *values: said.append(values),
        )
    )
    assert len(found) == 10
    finished, work = zip(*said, strict=True)
    assert finished[-1] == 10
    assert work[-1] == pytest.approx(10)
    assert list(finished) == sorted(finished)
    assert list(work) == sorted(work)
    assert any(part > whole for whole, part in said)


def test_a_prompt_without_room_for_an_answer_is_refused_by_key(subjects):
    long = AnswerRequest("too-long", (5,) * subjects.base.context, 4)
    with pytest.raises(ValueError, match="too-long"):
        list(answers(subjects, subjects.base, {"base": [long]}))


def test_an_answer_is_cut_at_the_context(subjects):
    prompt = (5,) * (subjects.base.context - 3)
    ((_, found),) = answers(subjects, subjects.base, {"base": [AnswerRequest("k", prompt, 9)]})
    assert (found.tokens, found.ended) == (3, False)


def test_memory_that_does_not_suffice_halves_the_batch(
    subjects, stopping, requests, expected, monkeypatch
):
    step = module.Slots.step

    def small(self, model, tokens, positions):
        if len(tokens) > 3:
            raise torch.OutOfMemoryError
        return step(self, model, tokens, positions)

    monkeypatch.setattr(module.Slots, "step", small)
    lines = []
    found = list(
        answers(subjects, stopping, {"base": requests, "plain": requests}, rows=8, log=lines.append)
    )
    assert len(found) == 2 * len(requests)
    assert of(found) == {key: one for key, one in expected.items() if key[0] in {"base", "plain"}}
    assert [line.rsplit(" ", 3)[1] for line in lines] == ["4", "2"]
