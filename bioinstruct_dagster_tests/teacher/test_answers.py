"""A third question costs a prompt and a reader: asked over real HTTP, its answers are kept.

The question is that of test_questions; the server is the tests' own, since the rehearsal teacher
knows only the questions of curation.
"""

import json
from dataclasses import replace

import pytest
from aiohttp import web

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.llm_checks import quality_question
from bioinstruct_dagster.teacher.answers import (
    StoredAnswer,
    ask_about,
    ask_together,
    stored_answers,
)
from bioinstruct_dagster.teacher.flow.refusal_streak import ALIKE_LIMIT
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.output_limits import MOST_CUT_IN_A_ROW, OutputLimits
from bioinstruct_dagster.teacher.refusals import plain_words
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column
from bioinstruct_dagster_tests.teacher.sessions import session_of
from bioinstruct_dagster_tests.teacher.test_questions import RIVERS

KNOWN = {"Jena": "Saale", "Bern": "Aare", "Graz": "Mur"}


def cities_of(body):
    """The cities that a request asks about."""
    lines = body["messages"][-1]["content"].split("\n")
    return [json.loads(line)["city"] for line in lines if line.startswith('{"number"')]


def rivers(body):
    """What a server answers that knows the rivers of some cities."""
    return json.dumps(
        {
            "rivers": [
                {"number": n, "river": KNOWN[city]}
                for n, city in enumerate(cities_of(body), 1)
                if city in KNOWN
            ]
        }
    )


@pytest.fixture
def opened(store, serve, reply):
    """A session with a server that says these replies in turn, and what the server was sent."""
    store.replace({"seed_tasks": []})

    def start(*contents, **terms):
        async def answer(body):
            content = contents[min(len(served.bodies), len(contents)) - 1]
            if isinstance(content, dict):
                return reply(None, **content)
            return reply(content(body) if callable(content) else content)

        served = serve(answer)
        endpoint = Endpoint(served.url, "k", rehearsal=False)
        return session_of(endpoint, store, terms=Terms(concurrency=1, **terms)), served.bodies

    return start


def answers_of(stored):
    return {city: said.answer for city, said in stored.items()}


@pytest.mark.parametrize("page", ["<title>Sign in</title><p>Hotel</p>", '{"login": "/sso"}'])
@pytest.mark.parametrize("concurrency", [1, 40])
def test_answers_that_are_no_completions_end_the_round(store, serve, page, concurrency):
    store.replace({"seed_tasks": []})

    async def answer(_):
        return web.Response(text=page, content_type="text/html")

    served = serve(answer)
    session = session_of(
        Endpoint(served.url, "k", rehearsal=False), store, terms=Terms(concurrency=concurrency)
    )
    tally, answers = ask_about(session, RIVERS, [f"City {number}" for number in range(400)])
    assert len(served.bodies) == ALIKE_LIMIT == tally.asked
    assert "no completion" in tally.stopped
    assert "OPENAI_BASE_URL" in tally.stopped
    assert served.url in tally.stopped
    assert plain_words(page) in tally.stopped
    assert not any(said.answer for said in answers.values())


def test_single_odd_answers_end_no_round(store, serve, reply):
    store.replace({"seed_tasks": []})

    async def answer(body):
        if len(served.bodies) % 10:
            return web.Response(text="<title>Busy</title>", content_type="text/html")
        return reply(rivers(body))

    served = serve(answer)
    session = session_of(
        Endpoint(served.url, "k", rehearsal=False), store, terms=Terms(concurrency=1)
    )
    tally, _ = ask_about(session, RIVERS, [f"City {number}" for number in range(100)])
    assert tally.stopped is None
    assert len(served.bodies) == 50  # no request was sent twice


def test_every_answer_is_kept_with_its_completion(opened, store):
    session, bodies = opened(rivers)
    tally, answers = ask_about(session, RIVERS, ["Jena", "Bern", "Jena", "Graz"])
    assert (tally.asked, len(bodies)) == (2, 2)
    assert answers_of(answers) == KNOWN
    assert {said.completion_id for said in answers.values()} == set(
        column(store, "completions", "completion_id")
    )
    assert column(store, "teacher_answers", "answer") == ['"Aare"', '"Mur"', '"Saale"']


def test_no_item_is_asked_about_twice(opened):
    session, bodies = opened(rivers)
    _, first = ask_about(session, RIVERS, ["Jena", "Ulm"])
    assert answers_of(first) == {"Jena": "Saale", "Ulm": None}
    tally, again = ask_about(session, RIVERS, ["Ulm", "Jena"])
    assert (tally.asked, len(bodies), again) == (0, 1, first)
    ask_about(session, RIVERS, ["Ulm", "Bern", "Jena"])
    assert [cities_of(body) for body in bodies] == [["Jena", "Ulm"], ["Bern"]]


def test_an_answer_holds_in_whatever_form_it_was_asked_for(opened):
    session, _ = opened(rivers)
    _, first = ask_about(session, RIVERS, ["Jena"])
    other, bodies = opened(rivers, dialect=Dialect(reply_format="text"))
    assert ask_about(other, RIVERS, ["Jena"])[1] == first
    assert bodies == []


def test_another_model_is_asked_anew(opened):
    session, bodies = opened(rivers)
    ask_about(session, RIVERS, ["Jena"])
    other = replace(session, model="gpt-4.1-mini")
    assert stored_answers(other, RIVERS, ["Jena"]) == {}
    ask_about(other, RIVERS, ["Jena"])
    assert [body["model"] for body in bodies] == ["gpt-4.1", "gpt-4.1-mini"]


def test_a_malformed_reply_is_asked_for_once_more(opened):
    session, bodies = opened("Let me think.", rivers)
    tally, answers = ask_about(session, RIVERS, ["Jena"])
    assert (tally.asked, len(bodies), answers_of(answers)) == (2, 2, {"Jena": "Saale"})


def test_it_is_not_asked_for_a_third_time(opened):
    session, bodies = opened("Let me think.")
    for _ in range(2):
        _, answers = ask_about(session, RIVERS, ["Jena"])
    assert (len(bodies), answers_of(answers)) == (2, {"Jena": None})


def cut(content, finish_reason="length"):
    """The parts of a reply that the token limit cut off."""
    message = {"role": "assistant", "content": content}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish_reason}]}


def test_a_malformed_reply_is_kept_after_its_second_draw(opened, store):
    ((first, _),) = RIVERS.prompt.requests(["Jena"], teacher="openai", model="gpt-4.1")
    one_draw = size_of(first).max_tokens
    session, bodies = opened("Let me think.", max_tokens=one_draw + 100)
    tally, answers = ask_about(session, RIVERS, ["Jena"])
    assert "BIOINSTRUCT_MAX_TOKENS is reached" in tally.stopped
    assert (len(bodies), answers) == (1, {})
    later, bodies = opened(rivers)
    tally, answers = ask_about(later, RIVERS, ["Jena"])
    assert (tally.asked, answers_of(answers)) == (1, {"Jena": "Saale"})
    assert sorted(column(store, "completions", "draw")) == [0, 1]


def test_answers_counted_from_zero_are_not_shifted(opened):
    shifted = json.dumps(
        {"rivers": [{"number": 0, "river": "Saale"}, {"number": 1, "river": "Aare"}]}
    )
    session, bodies = opened(shifted, rivers)
    _, answers = ask_about(session, RIVERS, ["Jena", "Bern"])
    assert (len(bodies), answers_of(answers)) == (2, {"Jena": "Saale", "Bern": "Aare"})


def test_a_cut_reply_is_not_sent_again_as_it_stands(opened):
    session, bodies = opened(cut("Let me th"))
    for _ in range(2):
        tally, answers = ask_about(session, RIVERS, ["Jena"])
        assert (len(bodies), answers, tally.failed) == (1, {}, 0)
    longer = replace(RIVERS, prompt=replace(RIVERS.prompt, tokens_per_item=1_000))
    later, _ = opened(rivers)
    assert answers_of(ask_about(later, longer, ["Jena"])[1]) == {"Jena": "Saale"}


def test_the_last_answer_of_a_reply_that_broke_off_is_left_out(opened):
    said = '{"rivers": [{"number": 1, "river": "Saale"}, {"number": 2, "river": "Aare'
    broken_off = cut(said, "error")
    broken_off["choices"][0]["error"] = {"code": 502, "message": "upstream died"}
    session, bodies = opened(broken_off)
    lines = []
    session = replace(session, log=lines.append)
    _, answers = ask_about(session, RIVERS, ["Jena", "Bern"])
    assert (len(bodies), answers_of(answers)) == (2, {"Jena": "Saale", "Bern": None})
    assert "cut off" not in "".join(lines)


def test_the_log_says_what_a_cut_reply_needs(opened):
    session, _ = opened(cut("Let me th"))
    lines = []
    ask_about(replace(session, log=lines.append), RIVERS, ["Jena"])
    (advice,) = [line for line in lines if "cut off" in line]
    assert "BIOINSTRUCT_TEACHER_MODEL" in advice
    assert "set BIOINSTRUCT_REASONING_TOKENS to 4000 or more" in advice


def test_a_cut_reply_is_sent_again_under_other_limits_and_answers_are_not(opened):
    session, _ = opened(cut("Let me th"))
    ask_about(session, RIVERS, ["Jena"])
    roomy = {"output_limits": OutputLimits(reasoning_tokens=4_000, reasoning_effort="low")}
    later, bodies = opened(rivers, **roomy)
    _, answers = ask_about(later, RIVERS, ["Jena"])
    assert answers_of(answers) == {"Jena": "Saale"}
    ((body),) = bodies
    assert (body["max_completion_tokens"], body["reasoning_effort"]) == (4_020, "low")
    for limits in (OutputLimits(), OutputLimits(reasoning_tokens=9)):
        again, bodies = opened(rivers, output_limits=limits)
        assert answers_of(ask_about(again, RIVERS, ["Jena"])[1]) == answers_of(answers)
        assert bodies == []


def test_answers_that_a_killed_run_left_are_read_under_other_limits(opened, store):
    session, _ = opened(rivers)
    ask_about(session, RIVERS, ["Jena"])
    with store.write() as connection:
        connection.execute("delete from teacher_answers")
    later, bodies = opened(rivers, output_limits=OutputLimits(reasoning_tokens=4_000))
    assert answers_of(ask_about(later, RIVERS, ["Jena"])[1]) == {"Jena": "Saale"}
    assert bodies == []


def test_a_round_whose_replies_are_all_cut_ends_early(opened):
    prompt = replace(RIVERS.prompt, items_per_request=1)
    session, bodies = opened(cut("Let me th"))
    towns = [f"Town {number}" for number in range(200)]
    tally, answers = ask_about(session, replace(RIVERS, prompt=prompt), towns)
    assert (len(bodies), answers) == (MOST_CUT_IN_A_ROW, {})
    assert "BIOINSTRUCT_REASONING_TOKENS" in tally.stopped


def test_whole_answers_of_a_cut_reply_are_kept(opened):
    session, bodies = opened(cut('{"rivers": [{"number": 1, "river": "Saale"}, {"numb'))
    for _ in range(2):
        _, answers = ask_about(session, RIVERS, ["Jena", "Bern"])
    assert (len(bodies), answers_of(answers)) == (1, {"Jena": "Saale", "Bern": None})


@pytest.mark.parametrize("said", ["Sa\ud800ale", "Sa\0ale"])
def test_an_answer_that_no_store_holds_is_made_storable(opened, said):
    content = json.dumps({"rivers": [{"number": 1, "river": said}]})
    session, _ = opened(content)
    assert answers_of(ask_about(session, RIVERS, ["Jena"])[1]) == {"Jena": "Sa?ale"}


@pytest.mark.parametrize("said", ["no\ud800 link", "no\0 link"])
def test_a_reason_that_no_store_holds_is_made_storable(opened, said):
    check = {"number": 1, "grounded": False, "correct": True, "reason": said}
    session, _ = opened(json.dumps({"checks": [check]}))
    row = RowTexts("Name its class.", "", "Beta blocker.")
    _, answers = ask_about(session, quality_question(), [row])
    assert answers[row].answer.reason == "no? link"


def test_a_refusal_is_not_asked_for_again(opened):
    session, bodies = opened({"refusal": "I won't."})
    _, answers = ask_about(session, RIVERS, ["Jena"])
    assert (len(bodies), answers_of(answers)) == (1, {"Jena": None})


def test_items_without_a_reply_are_asked_about_later(opened):
    session, bodies = opened(rivers, run_max_tokens=0, run_id="one")
    tally, answers = ask_about(session, RIVERS, ["Jena"])
    assert "BIOINSTRUCT_RUN_MAX_TOKENS" in tally.stopped
    assert (bodies, answers) == ([], {})
    later, bodies = opened(rivers)
    assert answers_of(ask_about(later, RIVERS, ["Jena"])[1]) == {"Jena": "Saale"}


def test_two_questions_are_asked_in_one_round(opened, store):
    session, bodies = opened(rivers)
    again = replace(
        RIVERS, key_ends=(2,), prompt=replace(RIVERS.prompt, values={"thing": "same city"})
    )
    tally = ask_together(session, [(RIVERS, ["Jena"]), (again, ["Jena", "Bern"])])
    assert (tally.asked, len(column(store, "teacher_rounds", "purpose"))) == (2, 1)
    assert [cities_of(body) for body in bodies] == [["Jena"], ["Jena", "Bern"]]
    first, second = (stored_answers(session, q, ["Jena", "Bern"]) for q in (RIVERS, again))
    assert (list(first), list(second)) == (["Jena"], ["Jena", "Bern"])


def test_answers_lost_in_a_kill_cost_nothing_again(opened, store):
    session, bodies = opened(rivers)
    _, first = ask_about(session, RIVERS, ["Jena"])
    store.replace({"teacher_answers": []})
    tally, again = ask_about(session, RIVERS, ["Jena"])
    assert (tally.asked, len(bodies), again) == (0, 1, first)
    assert again == {"Jena": StoredAnswer("Saale", first["Jena"].completion_id)}
