"""Questions to models that reason, over real HTTP: the answer is read, and no second draw paid."""

import json

import pytest

from bioinstruct_dagster.curation.category.prompts import FIRST_PASS, category_question
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.llm_checks import TeacherCheck, quality_question
from bioinstruct_dagster.teacher.answers import ask_about
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column
from bioinstruct_dagster_tests.teacher.sessions import session_of

INSTRUCTIONS = ["List the drugs.", "Explain the result.", "Rank the tests."]
LABELS = ["information_extraction", "generation", "other"]
ROWS = [RowTexts("Name the drug.", "", "Gold."), RowTexts("Name the dose.", "5 mg", "5 mg")]
DRAFT = json.dumps({"labels": [{"number": n, "category": "question_answering"} for n in (1, 2, 3)]})
ANSWER = json.dumps(
    {"labels": [{"number": n, "category": label} for n, label in enumerate(LABELS, 1)]}
)
LINES = "\n".join(f"{n}. {label.replace('_', ' ').title()}" for n, label in enumerate(LABELS, 1))


@pytest.fixture
def asked(store, serve, reply):
    """Ask a question of a server that says one message; its answers, and the requests it got."""
    store.replace({"seed_tasks": []})

    def ask(question, items, message, finish_reason="stop"):
        async def answer(body):
            choice = {"index": 0, "message": message, "finish_reason": finish_reason}
            return reply(None, choices=[choice])

        served = serve(answer)
        session = session_of(Endpoint(served.url, "k", rehearsal=False), store, terms=Terms())
        _, found = ask_about(session, question, items)
        return {item: said.answer for item, said in found.items()}, len(served.bodies)

    return ask


@pytest.mark.parametrize(
    "content",
    [
        f"<think>\nLet me label. {DRAFT}\n</think>\n\n{ANSWER}",
        f"Let me label. {DRAFT}\n</think>\n\n{ANSWER}",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|channel|>final<|message|>{ANSWER}",
        f"{ANSWER}<|im_end|>\n<|im_start|>user\nAgain<|im_end|>\n<|im_start|>assistant\n{DRAFT}",
        f"{DRAFT}\nCorrected:\n{ANSWER}",
        f"<think>{DRAFT}</think>{LINES}",
        json.dumps(ANSWER),
    ],
)
def test_labels_are_those_of_the_answer(asked, content):
    found, requests = asked(category_question(FIRST_PASS), INSTRUCTIONS, {"content": content})
    assert found == dict(zip(INSTRUCTIONS, LABELS, strict=True))
    assert requests == 1


def test_checks_are_those_of_the_answer(asked):
    draft = [{"number": n, "grounded": False, "correct": False, "reason": "x"} for n in (1, 2)]
    checks = {n: {"Grounded": "yes", "Correct": "true", "reason": ""} for n in ("1", "2")}
    content = f"<think>{json.dumps({'checks': draft})}</think>```json\n{json.dumps(checks)}\n```"
    found, requests = asked(quality_question(), ROWS, {"content": content})
    assert found == dict.fromkeys(ROWS, TeacherCheck(grounded=True, correct=True))
    assert requests == 1


@pytest.mark.parametrize("content", ["", f"<think>{DRAFT}", f"[THINK]{ANSWER}"])
def test_a_reply_cut_inside_its_reasoning_has_no_answers(asked, store, content):
    question = category_question(FIRST_PASS)
    found, requests = asked(question, INSTRUCTIONS, {"content": content}, "length")
    assert (found, requests) == ({}, 1)
    assert column(store, "completions", "content") == [content]


def test_answers_that_the_server_sends_as_reasoning_are_read(asked):
    message = {"content": None, "reasoning_content": f"Hm. {DRAFT}\n</think>\n{ANSWER}"}
    found, requests = asked(category_question(FIRST_PASS), INSTRUCTIONS, message)
    assert found == dict(zip(INSTRUCTIONS, LABELS, strict=True))
    assert requests == 1
