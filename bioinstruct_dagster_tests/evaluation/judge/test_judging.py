"""Asking the judge: order, blindness, caps, kills, and the rehearsal server's real HTTP path."""

import json
from dataclasses import dataclass

import pytest

from bioinstruct_dagster.evaluation.judge.choice import open_judge
from bioinstruct_dagster.evaluation.judge.grades import PURPOSE, GradedText, grade_question
from bioinstruct_dagster.evaluation.judge.judging import drawn, judge
from bioinstruct_dagster.evaluation.judge.pairwise import AnswerPair, outcome
from bioinstruct_dagster.rehearsal.api_server.app import RehearsalTeacher
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.terms import PurposeCap, Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.evaluation.judge.conftest import graded, items_in, preferred
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column
from bioinstruct_dagster_tests.teacher.sessions import session_of
from bioinstruct_dagster_tests.teacher.test_rounds_kill import Answers, journalled, wait_for

SOURCE = "Doctor: Where does it hurt?\nPatient: {} knee, since May."
ITEMS = 12
RUN = """
import sys
from pathlib import Path
from bioinstruct_dagster.evaluation.judge.judging import judge
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.evaluation.judge.test_judging import texts_of
from bioinstruct_dagster_tests.teacher.sessions import session_of

store, url = Store(Path(sys.argv[1])), sys.argv[2]
session = session_of(Endpoint(url, "k", rehearsal=True), store, terms=Terms(concurrency=2))
judge(session, texts_of(12), [], seed=1)
"""


def texts_of(count):
    """Two answers to each of so many items."""
    return [
        GradedText(SOURCE.format(item), f"Pain in the {item} knee.", f"{item} knee {answer}.")
        for item in range(count)
        for answer in ("hurts", "is well")
    ]


def pairs_of(count):
    texts = texts_of(count)
    return [
        AnswerPair(one.source, one.reference, one.answer, other.answer)
        for one, other in zip(texts[::2], texts[1::2], strict=True)
    ]


@dataclass(frozen=True)
class Named:
    """An item with nothing but its identifier."""

    id: str


def test_items_are_drawn_by_the_seed_alone():
    items = [Named(str(number)) for number in range(50)]
    first = drawn(items, 10, seed=1)
    assert drawn(reversed(items), 10, seed=1) == first
    assert drawn(items, 20, seed=1)[:10] == first
    assert drawn(items, 10, seed=2) != first
    assert len(drawn(items, 100, seed=1)) == 50


def test_neither_names_nor_identifiers_reach_the_prompt(opened):
    session, bodies = opened(
        lambda body: (
            preferred("neither") if "first" in items_in(body)[0] else graded(1, 0, 0, 1, 0, 0)
        )
    )
    judge(session, texts_of(2), pairs_of(2), seed=1)
    for body in bodies:
        (item,) = items_in(body)
        assert item.keys() in (
            {"number", "source", "reference", "answer"},
            {"number", "source", "reference", "first", "second"},
        )
        assert item["number"] == 1
        prompt = json.dumps(body["messages"]).lower()
        assert not any(word in prompt for word in ("llama", "adapter", "base model", "lora"))
    assert {body["temperature"] for body in bodies} == {0.0}


def answers_asked(bodies):
    return [items_in(body)[0]["answer"] for body in bodies]


def test_the_order_of_subjects_is_random_and_fixed_by_the_seed(opened, store):
    asked = []
    for seed in (1, 1, 2):
        with store.write() as connection:
            connection.execute("delete from judge_grades; delete from completions")
        session, bodies = opened(graded(1, 0, 0, 1, 0, 0))
        judge(session, texts_of(ITEMS), [], seed=seed)
        asked.append(answers_asked(bodies))
    assert asked[0] == asked[1] != asked[2]
    firsts = {answer.split(maxsplit=2)[2] for answer in asked[0][::2]}
    assert firsts == {"hurts.", "is well."}
    # The answers to one item follow each other, so a cap leaves whole items.
    items = [answer.split()[0] for answer in asked[0]]
    assert items[::2] == items[1::2]


def test_equal_answers_of_two_subjects_are_paid_for_once(opened):
    session, bodies = opened(graded(1, 0, 0, 1, 0, 0))
    text = texts_of(1)[0]
    found = judge(session, [text, text], [], seed=1)
    assert len(bodies) == 1
    assert found.grade(text).covered == 1


def test_an_empty_answer_is_not_sent(opened):
    session, bodies = opened(graded(1, 0, 0, 1, 0, 0))
    empty = GradedText("s", "r", "")
    found = judge(session, [empty], [], seed=1)
    assert bodies == []
    assert found.was_asked(empty)
    assert found.grade(empty).share("factual_recall") == 0


def test_an_unreadable_grade_was_asked_for_but_gives_no_grade(opened):
    session, _ = opened("I would rather not say.")
    text = texts_of(1)[0]
    found = judge(session, [text], [], seed=1)
    assert found.was_asked(text)
    assert found.grade(text) is None


@pytest.mark.parametrize("name", ["max_tokens", "max_usd"])
def test_the_judge_s_cap_ends_the_round_and_the_next_run_goes_on(opened, name):
    ((first, _),) = list(
        grade_question().prompt.requests(texts_of(1)[:1], teacher="openai", model="gpt-4.1")
    )
    most = size_of(first).max_tokens
    price = price_of("gpt-4.1")  # the server bills 100 tokens of a prompt and 10 of a reply
    caps = {
        "max_tokens": most + 3 * 110 + 5,
        "max_usd": price.usd(most - 800, 800) + 3 * price.usd(100, 10) + 1e-5,
    }
    session, bodies = opened(
        graded(1, 0, 0, 1, 0, 0),
        run_id="r",
        purpose_cap=PurposeCap(PURPOSE, "BIOINSTRUCT_JUDGE_MAX_USD", **{name: caps[name]}),
    )
    texts = texts_of(ITEMS)
    found = judge(session, texts, [], seed=1)
    setting = f"BIOINSTRUCT_JUDGE_{name.upper()}"
    assert f"{setting} is reached" in found.tally.stopped
    assert 0 < len(bodies) < len(texts)
    assert len(found.grades) == len(bodies)
    assert sum(found.was_asked(text) for text in texts) == len(bodies)
    session, later = opened(graded(1, 0, 0, 1, 0, 0))
    assert len(judge(session, texts, [], seed=1).grades) == len(texts)
    assert len(bodies) + len(later) == len(texts)
    assert not set(answers_asked(bodies)) & set(answers_asked(later))


def test_what_other_assets_of_the_run_spend_does_not_count_for_the_judge(opened, store):
    with store.write() as connection:
        connection.execute(
            "insert into completions by name select 'g' as completion_id, 'generation' as purpose, "
            "'openai' as teacher, false as rehearsal, 'gpt-4.1' as model_asked, '{}' as parameters,"
            " '[]' as messages, 'text' as reply_format, 't' as template_id, 't' as template_sha256,"
            " 0 as draw, [] as seed_ids, '' as content, 'online' as service, 1000000 as "
            "prompt_tokens, 0 as completion_tokens, 2.0 as usd, 'r' as run_id, now() as "
            "requested_at, now() as completed_at"
        )
    session, bodies = opened(
        graded(1, 0, 0, 1, 0, 0),
        run_id="r",
        purpose_cap=PurposeCap(PURPOSE, "BIOINSTRUCT_JUDGE_MAX_USD", max_usd=1.0),
    )
    assert judge(session, texts_of(2), [], seed=1).tally.stopped is None
    assert len(bodies) == 4


def test_a_killed_run_pays_nothing_twice(store, start_python, serve):
    answers = Answers(7)
    application = RehearsalTeacher(read_recordings()).application()
    application.middlewares.append(answers.limit)
    served = serve(application)
    store.replace({"seed_tasks": []})
    process = start_python(RUN, store.path, served.url)
    wait_for(lambda: len(journalled(store)) == 7 and len(served.bodies) == 9, process)
    assert process.poll() is None, process.stderr.read()
    process.kill()
    process.communicate()
    stored = journalled(store)
    answers.release()

    session = session_of(Endpoint(served.url, "k", rehearsal=True), store, terms=Terms())
    found = judge(session, texts_of(12), [], seed=1)
    assert len(found.grades) == 24
    assert len(stored) == 7
    assert stored <= set(column(store, "completions", "completion_id"))
    # Nine requests before the kill, and after it all but the seven that were stored.
    assert len(served.bodies) == 9 + 24 - 7
    assert len(column(store, "judge_grades", "grade_key")) == 24
    # The two requests in flight may have been billed, so they count as spent.
    assert len(column(store, "presumed_spend", "completion_id")) == 2


@pytest.mark.parametrize("form", ["json_schema", "json_object", "text"])
def test_the_stand_in_judge_answers_over_http_in_every_form(store, settings, form):
    store.replace({"seed_tasks": []})
    with open_judge(settings.changed(reply_format=form), store, lambda _: None) as session:
        found = judge(session, texts_of(3), pairs_of(3), seed=1)
    assert len(found.grades) == 6
    assert all(answer.rehearsal for answer in found.grades.values())
    assert all("Rehearsal" in answer.answer.reason for answer in found.grades.values())
    assert all(outcome(pair, found.choices) is not None for pair in pairs_of(3))
    assert set(column(store, "completions", "purpose")) == {PURPOSE}


def test_the_judge_may_use_the_batch_api(store, settings):
    store.replace({"seed_tasks": []})
    batched = settings.changed(service="batch")
    texts = texts_of(2)
    with open_judge(batched, store, lambda _: None) as session:
        first = judge(session, texts, pairs_of(2), seed=1)
    assert first.tally.pending == 8
    assert not any(map(first.was_asked, texts))
    with open_judge(batched, store, lambda _: None) as session:
        second = judge(session, texts, pairs_of(2), seed=1)
    assert second.tally.pending == 0
    assert all(map(second.was_asked, texts))
    assert len(column(store, "completions", "completion_id")) == 8
