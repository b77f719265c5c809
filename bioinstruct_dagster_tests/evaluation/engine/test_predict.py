"""Predictions in padded batches equal those of the same model on single rows without padding."""

from dataclasses import replace

import pytest
from rouge_score.rouge_scorer import RougeScorer

from bioinstruct_dagster.dataset.splits import split_of
from bioinstruct_dagster.evaluation.engine import predict as module
from bioinstruct_dagster.evaluation.engine import progress
from bioinstruct_dagster.evaluation.engine.predict import predict

ANSWER_TOKENS = 12  # where answers are made: enough to tell them apart


@pytest.fixture(scope="module")
def rows(dataset_rows):
    """The held-out rows: of many lengths, with and without input."""
    return [row for row in dataset_rows if split_of(row["instruction"]) == "test"]


def test_no_batch_is_computed_in_silence(tiny_base, rows, monkeypatch):
    """A line comes after each forward pass, if ten seconds have passed since the last one."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(module, "ANSWER_TOKENS", ANSWER_TOKENS)
    monkeypatch.setattr(module, "BATCH_ROWS", len(rows) - 1)
    lines = []
    predict(tiny_base.model, tiny_base, rows, "adapter", lines.append)
    assert len([line for line in lines if f" 0 of {len(rows)} items scored" in line]) > 1
    assert len([line for line in lines if f" {len(rows) - 1} of {len(rows)} items" in line]) > 1
    assert all(line.startswith("the adapter: ") for line in lines)


@pytest.fixture(scope="module")
def items(tiny_base, rows):
    """Predictions in batches of four, and what was logged."""
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH_ROWS", 4)
        patch.setattr(module, "ANSWER_TOKENS", ANSWER_TOKENS)
        return predict(tiny_base.model, tiny_base, rows, "base", lines.append), lines


def ids_of(row, base):
    """(prompt, response) as token ids."""
    tokenizer = base.tokenizer
    prompt = tokenizer(base.prompt.prompt_of(row["instruction"], row["input"]))["input_ids"]
    response = tokenizer(row["output"], add_special_tokens=False)["input_ids"]
    return prompt, [*response, tokenizer.eos_token_id]


def test_every_row_has_its_item_in_the_order_of_the_rows(items, rows):
    found, lines = items
    assert [item["row_id"] for item in found] == [row["row_id"] for row in rows]
    assert [item["category"] for item in found] == [row["category"] for row in rows]
    assert {item["subject"] for item in found} == {"base"}
    assert len(lines) == 1  # the end, as it took less than ten seconds
    assert lines[0].startswith(f"the base model alone: {len(rows)} of {len(rows)} items scored in ")


def test_losses_are_those_of_one_row_at_a_time_without_padding(items, rows, tiny_base):
    import torch

    for item, row in zip(items[0], rows, strict=True):
        prompt, response = ids_of(row, tiny_base)
        with torch.inference_mode():
            ids = torch.tensor([prompt + response]).to(tiny_base.device)
            chances = tiny_base.model(ids).logits[0].float().log_softmax(-1)
        nll = -sum(
            float(chances[len(prompt) - 1 + place, token]) for place, token in enumerate(response)
        )
        assert item["output_tokens"] == len(response)
        assert item["nll"] == pytest.approx(nll, rel=1e-4)


def greedy_answer(model, tokenizer, prompt, device):
    """The likeliest token, again and again."""
    import torch

    ids, answer = list(prompt), []
    while len(answer) < ANSWER_TOKENS:
        with torch.inference_mode():
            token = int(model(torch.tensor([ids]).to(device)).logits[0, -1].argmax())
        if token == tokenizer.eos_token_id:
            break
        ids.append(token)
        answer.append(token)
    return tokenizer.decode(answer, skip_special_tokens=True).strip()


def test_answers_are_those_of_one_row_at_a_time_without_padding(items, rows, tiny_base):
    answers = []
    for item, row in zip(items[0], rows, strict=True):
        prompt, _ = ids_of(row, tiny_base)
        answer = greedy_answer(tiny_base.model, tiny_base.tokenizer, prompt, tiny_base.device)
        assert item["prediction"] == answer
        answers.append(answer)
    assert any(answers)


def test_an_answer_is_scored_against_the_true_output(items, rows):
    scorer = RougeScorer(["rougeL"])
    for item, row in zip(items[0], rows, strict=True):
        expected = scorer.score(row["output"], item["prediction"])["rougeL"].fmeasure
        assert item["rouge_l"] == expected


def test_rows_that_do_not_fit_are_left_out_and_said_to_be(tiny_base, rows, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_TOKENS", 1)
    long = rows[0] | {"row_id": "long", "instruction": "word " * 800}
    lines = []
    found = predict(tiny_base.model, tiny_base, [long, rows[1]], "adapter", lines.append)
    assert [item["row_id"] for item in found] == [rows[1]["row_id"]]
    assert lines[0] == "adapter: 1 rows are longer than 768 tokens and are not scored"


def test_rows_without_an_output_are_not_scored_and_said_to_be(tiny_base, rows, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_TOKENS", 1)
    empty = rows[0] | {"row_id": "empty", "output": " "}
    lines = []
    found = predict(tiny_base.model, tiny_base, [rows[1], empty], "adapter", lines.append)
    assert [item["row_id"] for item in found] == [rows[1]["row_id"]]
    assert lines[0] == "adapter: 1 rows have no output and are not scored"


def test_an_answer_ends_where_trained_rows_end(tiny_base, rows, monkeypatch):
    # The likeliest second token is made the end of rows, as that of a chat's turn may be.
    import torch

    monkeypatch.setattr(module, "ANSWER_TOKENS", ANSWER_TOKENS)
    prompt, _ = ids_of(rows[0], tiny_base)
    with torch.inference_mode():
        ids = torch.tensor([prompt]).to(tiny_base.device)
        answer = tiny_base.model.generate(ids, max_new_tokens=6, do_sample=False)
    new = answer[0, len(prompt) :].tolist()
    end = new[-1]
    prompt_with_end = replace(tiny_base.prompt, end_id=end, stop_ids=(end,))
    base = replace(tiny_base, prompt=prompt_with_end)
    (item,) = predict(base.model, base, rows[:1], "base", lambda _: None)
    before = new[: new.index(end) + 1]
    expected = tiny_base.tokenizer.decode(before, skip_special_tokens=True).strip()
    assert item["prediction"] == expected


def test_an_answer_stays_in_the_models_context(tiny_base, rows):
    length = len(ids_of(rows[0], tiny_base)[0])
    base = replace(tiny_base, context=length + 3)
    short = rows[0] | {"output": "a"}
    (item,) = predict(base.model, base, [short], "base", lambda _: None)
    assert len(tiny_base.tokenizer(item["prediction"], add_special_tokens=False)["input_ids"]) <= 3


def test_without_rows_there_is_nothing_to_predict(tiny_base):
    assert predict(tiny_base.model, tiny_base, [], "base", lambda _: None) == []
