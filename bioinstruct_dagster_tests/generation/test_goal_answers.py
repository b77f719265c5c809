"""Generating with models that reason: rows come from the answer, never from drafts in reasoning.

Each test runs a real server that replies as servers of such models do, real rounds and a store.
"""

import json

import pytest
from aiohttp import web

from bioinstruct_dagster_tests.generation.pursuits import Pursuit
from bioinstruct_dagster_tests.generation.writer import tasks_of

DRAFTS = 10**6  # added to a seed, so that a draft is no row of any answer


def tasks(number: int) -> list[dict[str, str]]:
    """Five tasks that no other number has."""
    return tasks_of(number, repeats=0)


def as_json(rows) -> str:
    return json.dumps({"tasks": rows})


def as_text(rows) -> str:
    return "".join(
        f"###\n{n}. Instruction: {task['instruction']}\n{n}. Input:\n<noinput>\n"
        f"{n}. Output:\n{task['output']}\n"
        for n, task in enumerate(rows, 1)
    )


CONTENTS = {
    "closed": "<think>\nOkay, five tasks. {draft}\nSome lack an input.\n</think>\n\n{answer}",
    "opened by the template": "Okay, five tasks. {draft}\nSome lack input.\n</think>\n\n{answer}",
    "harmony": "<|channel|>analysis<|message|>{draft}<|end|><|start|>assistant<|channel|>final"
    "<|message|>{answer}<|return|>",
    "harmony without its tokens": "analysisWe need five tasks. {draft}assistantfinal{answer}",
    "magistral": "[THINK]{draft}[/THINK]{answer}</s>",
    "draft and corrected version": "{draft}\n\nCorrected version:\n\n{answer}",
    "invented turn": "{answer}<|im_end|>\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n"
    "{draft}",
    "echo": "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>",
}


@pytest.fixture
def pursuit(store, serve, series_of):
    """Rounds over a server whose messages a function makes of a request's body."""

    def make(message_of, finish_reason="stop", **changed):
        store.replace({})

        async def answer(body):
            choice = {"index": 0, "finish_reason": finish_reason}
            return web.json_response(
                {
                    "id": "c", "object": "chat.completion", "created": 0, "model": "reasoner",
                    "choices": [{**choice, "message": {"role": "assistant"} | message_of(body)}],
                    "usage": {"prompt_tokens": 9, "completion_tokens": 900, "total_tokens": 909},
                }
            )  # fmt: skip

        served = serve(answer)
        series = series_of(**{"teacher": "openai", "model": "gpt-4.1-mini"} | changed)
        return Pursuit(store, served.url, series), served.bodies

    return make


def instructions_of(bodies, first=0):
    return {task["instruction"] for body in bodies for task in tasks(body["seed"] + first)}


@pytest.mark.parametrize(
    ("form", "written"),
    [
        *((form, as_json) for form in CONTENTS),
        *((form, as_text) for form in ("closed", "draft and corrected version", "echo")),
    ],
)
def test_the_rows_are_those_of_the_answer_and_no_draft_is_one(pursuit, form, written):
    def message(body):
        content = CONTENTS[form].replace("{draft}", written(tasks(body["seed"] + DRAFTS)))
        content = content.replace("{prompt}", body["messages"][-1]["content"])
        return {"content": content.replace("{answer}", written(tasks(body["seed"])))}

    reply_format = "text" if written is as_text else "json_schema"
    running, bodies = pursuit(message, reply_format=reply_format)
    done = running.round(20)
    rows = {row["instruction"] for row in done.rows}
    assert len(done.kept) >= 20
    assert rows <= instructions_of(bodies)
    assert not rows & instructions_of(bodies, DRAFTS)
    assert len(done.rows) == 5 * len(done.numbers)
    (outcome,) = running.store.rows("select distinct outcome, dropped from completion_outcomes")
    assert outcome == {"outcome": "parsed", "dropped": 0}
    stored = running.store.rows("select content from completions")
    assert all(len(row["content"]) > len(written(tasks(0))) for row in stored)  # as received
    assert running.round(20).rows == done.rows


@pytest.mark.parametrize(
    "opening", ["<think>\n", "<|channel|>analysis<|message|>", "Okay, the user wants "]
)
def test_replies_cut_inside_their_reasoning_have_no_rows_and_are_not_sent_again(pursuit, opening):
    running, bodies = pursuit(
        lambda body: {"content": opening + as_json(tasks(body["seed"]))}, "length"
    )
    done = running.round(20, limit=5)
    assert (done.rows, len(bodies)) == ([], 5)
    outcomes = running.store.rows("select outcome, detail from completion_outcomes")
    assert {each["outcome"] for each in outcomes} == {"truncated"}
    assert all("Raise BIOINSTRUCT_REASONING_TOKENS" in each["detail"] for each in outcomes)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_answers_that_the_server_sends_as_reasoning_are_rows(pursuit, name):
    running, bodies = pursuit(lambda body: {"content": None, name: as_json(tasks(body["seed"]))})
    done = running.round(20)
    assert len(done.kept) >= 20
    assert {row["instruction"] for row in done.rows} <= instructions_of(bodies)


def test_reasoning_that_is_sent_apart_is_stored_and_gives_no_rows(pursuit):
    running, bodies = pursuit(
        lambda body: {
            "content": as_json(tasks(body["seed"])),
            "reasoning_content": as_json(tasks(body["seed"] + DRAFTS)),
        }
    )
    done = running.round(20)
    assert not {row["instruction"] for row in done.rows} & instructions_of(bodies, DRAFTS)
    stored = running.store.rows("select reasoning from completions")
    assert all('"tasks"' in row["reasoning"] for row in stored)


def test_a_run_without_readable_replies_names_what_they_hold(pursuit):
    running, _ = pursuit(lambda _: {"content": "<think>Hm.</think>"})
    done = running.round(40)
    assert done.rows == []
    assert "requests brought no readable task" in done.tally.stopped
    assert "Check the server's reasoning parser" in done.tally.stopped
    assert "add seeds" not in done.tally.stopped


def test_a_run_whose_readable_rows_repeat_each_other_says_so(pursuit):
    running, _ = pursuit(lambda _: {"content": as_json(tasks(1))})
    assert "add seeds" in running.round(40).tally.stopped
