"""Chat: both answers to the same prompt, each up to its end token."""

import pytest
import torch

from bioinstruct_dagster.models.commands.chat import answer, chat
from bioinstruct_dagster.models.prompts import RowTokenizer

TOKENS = 12


def written(opened, *lines, most_tokens=TOKENS):
    found = []
    answered = chat(opened, lines, found.append, most_tokens=most_tokens)
    return answered, found


def test_each_line_is_answered_by_the_base_and_by_the_adapter(opened):
    answered, lines = written(
        opened, "List two symptoms of flu.\n", "\n", "Sum up.\tA long note.\n"
    )
    assert answered == 2
    assert [line.split(":")[0] for line in lines] == ["base", "adapter", ""] * 2


def test_the_answers_are_those_of_greedy_decoding(opened):
    ids = RowTokenizer(opened.base.tokenizer, opened.base.prompt).prompts([("Sum up.", "A note.")])
    own = list(ids[0])
    with torch.inference_mode(), opened.model.disable_adapter():
        for _ in range(TOKENS):
            logits = opened.model(input_ids=torch.tensor([own])).logits[0, -1]
            own.append(int(logits.argmax()))
            if own[-1] in opened.base.prompt.stop_ids:
                break
    expected = opened.base.tokenizer.decode(own[len(ids[0]) :], skip_special_tokens=True).strip()
    _, lines = written(opened, "Sum up.\tA note.")
    assert lines[0].removeprefix("base:    ").startswith(expected)


def test_an_answer_ends_at_the_end_token(opened, monkeypatch):
    end = opened.base.prompt.stop_ids[0]
    (ids,) = RowTokenizer(opened.base.tokenizer, opened.base.prompt).prompts([("Sum up.", "")])
    cut = answer(opened.model, opened.base, ids, TOKENS)
    assert not cut.ended
    assert cut.shown().endswith("[cut off: no end token came]")
    head = opened.model.get_output_embeddings()

    def prefer_the_end(_module, _inputs, logits):
        logits[..., end] = 1e9
        return logits

    handle = head.register_forward_hook(prefer_the_end)
    ended = answer(opened.model, opened.base, ids, TOKENS)
    handle.remove()
    assert (ended.text, ended.ended, ended.shown()) == ("", True, "")


def test_a_prompt_that_is_too_long_is_said_and_the_chat_goes_on(opened):
    answered, lines = written(opened, "word " * 2_000, "Sum up.")
    assert answered == 1
    assert "tokens, and the model takes 1024. Shorten it." in lines[0]
    assert lines[1].startswith("base: ")


@pytest.mark.parametrize("text", ["", "   \n", "\t\n"])
def test_an_empty_line_is_skipped(opened, text):
    assert written(opened, text) == (0, [])
