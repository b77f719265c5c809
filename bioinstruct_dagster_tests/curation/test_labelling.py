"""Labelling over the real rehearsal teacher: its labels first, the embedded classifier's after."""

import contextlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bioinstruct_dagster.curation.labelling import EMBEDDED, Labelling, label_rows, stored_labels
from bioinstruct_dagster.generation.client import Dialect
from bioinstruct_dagster.generation.replies import read_reply
from bioinstruct_dagster.generation.teacher import Endpoint, Terms, open_teacher
from bioinstruct_dagster.rehearsal.recordings import (
    normalized,
    read_recordings,
    recorded_labels,
)
from bioinstruct_dagster.seeds.tasks import CATEGORIES, read_seed_tasks

pytestmark = pytest.mark.usefixtures("one_blas_thread")

UNKNOWN = [
    "Extract every beta blocker named in the ward round entry below.",
    "Explain to a worried parent how a febrile seizure is managed at home.",
    "Which cranial nerve is tested by the corneal reflex, afferent limb?",
]


@pytest.fixture
def seeded_store(store, settings):
    """The store with the seed tasks in it, which the classifier learns from."""
    seeds = read_seed_tasks(settings.seeds)
    store.replace({"seed_tasks": [seed.to_row(n) for n, seed in enumerate(seeds)]})
    return store


@pytest.fixture
def label(seeded_store, settings):
    """Label instructions as the asset does; `log` of the result holds what was logged."""

    def run(instructions) -> Labelling:
        rows = [
            {
                "row_id": f"row-{n}",
                "ordinal": n,
                "instruction": text,
                "input": "kept as it is",
                "rehearsal": False,
            }
            for n, text in enumerate(instructions)
        ]
        with open_teacher(settings) as endpoint:
            return label_rows(
                rows,
                endpoint,
                seeded_store,
                teacher=settings.teacher,
                model=settings.model,
                log=lambda _: None,
                terms=Terms(concurrency=4),
            )

    return run


def known_instructions(count):
    """Recorded instructions that the teacher has a label for."""
    texts = [
        task["instruction"]
        for recording in read_recordings()
        for task in read_reply(recording.content, "stop", None).tasks
    ]
    return list(dict.fromkeys(texts))[:count]


def test_the_teacher_labels_what_it_knows_and_the_classifier_the_rest(label, seeded_store):
    known = known_instructions(27)
    mixed = [UNKNOWN[0], *known[:20], UNKNOWN[1], *known[20:], UNKNOWN[2]]
    result = label(mixed)

    assert [row["instruction"] for row in result.rows] == mixed
    assert {row["input"] for row in result.rows} == {"kept as it is"}
    recorded = recorded_labels(read_recordings())
    categorizations = {
        row["completion_id"]
        for row in seeded_store.rows(
            "select completion_id from completions where purpose = 'categorization'"
        )
    }
    for row in result.rows:
        if row["instruction"] in UNKNOWN:
            assert row["labelled_by"] == EMBEDDED
            assert row["category"] in CATEGORIES
            assert 0.25 <= row["confidence"] <= 1
            assert row["label_completion_id"] is None
            assert not row["rehearsal"]
        else:
            assert row["labelled_by"] == "teacher:rehearsal-teacher"
            assert row["category"] == recorded[normalized(row["instruction"])]
            assert row["confidence"] is None
            assert row["rehearsal"]  # for its label, whatever its text
            assert row["label_completion_id"] in categorizations
    assert (result.by_teacher, result.by_classifier) == (27, 3)
    assert result.cross_validated_accuracy > 0.7
    assert result.tally.asked == 2  # 30 instructions in batches of 20


def test_the_classifier_is_left_alone_where_the_teacher_labels_everything(label):
    result = label(known_instructions(5))
    assert result.cross_validated_accuracy is None
    assert Counter(row["labelled_by"] for row in result.rows) == {"teacher:rehearsal-teacher": 5}


@pytest.mark.parametrize(
    "instructions",
    [
        pytest.param(known_instructions(25), id="all known to the teacher"),
        pytest.param([*known_instructions(25), *UNKNOWN], id="some known"),
    ],
)
def test_a_second_labelling_asks_for_nothing_and_says_the_same(label, instructions):
    first, second = label(instructions), label(instructions)
    assert first.tally.asked > 0
    assert second.tally.asked == 0
    assert second.rows == first.rows


def test_a_grown_set_asks_only_about_the_new_instructions(label, seeded_store):
    texts = known_instructions(24)
    label(texts[:20])
    grown = label(texts)
    assert grown.tally.asked == 1
    (prompt,) = [
        row["prompt"]
        for row in seeded_store.rows(
            "select messages::varchar as prompt from completions order by completed_at desc limit 1"
        )
    ]
    assert "number" in prompt
    assert sum(text in prompt for text in texts[:20]) == 0


def test_rows_of_one_instruction_share_its_label_and_are_asked_about_once(label, seeded_store):
    (text,) = known_instructions(1)
    result = label([text, text])
    assert result.by_teacher == 2
    assert result.rows[0]["category"] == result.rows[1]["category"]
    (count,) = seeded_store.rows("select count(*) as n from category_labels")
    assert count == {"n": 1}


def test_the_label_of_another_model_is_not_used(label, seeded_store, settings):
    (text,) = known_instructions(1)
    label([text])
    assert stored_labels([text], seeded_store, teacher=settings.teacher, model=settings.model)
    assert not stored_labels([text], seeded_store, teacher=settings.teacher, model="another")
    assert not stored_labels([text], seeded_store, teacher="openai", model=settings.model)


@pytest.fixture
def label_over(seeded_store, serve_labels):
    """Label instructions by a server that answers as told; who labelled each, and the sends."""

    def run(instructions, *contents, **terms):
        rows = [
            {"row_id": f"r{n}", "ordinal": n, "instruction": text, "input": "", "rehearsal": False}
            for n, text in enumerate(instructions)
        ]
        bodies, url = serve_labels(contents)
        result = label_rows(
            rows,
            Endpoint(url, "k", rehearsal=False),
            seeded_store,
            teacher="openai",
            model="gpt-4.1-mini",
            log=lambda _: None,
            terms=Terms(**terms),
        )
        return result, bodies

    return run


@pytest.fixture
def serve_labels():
    """Answer the first request with the first content, and so on; the last one repeats."""
    with contextlib.ExitStack() as servers:

        def start(contents):
            bodies = []

            class Handler(BaseHTTPRequestHandler):
                def do_POST(self):
                    bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                    content = contents[min(len(bodies), len(contents)) - 1]
                    message = {"role": "assistant", "content": content, "refusal": None}
                    body = json.dumps(
                        {
                            "id": "c", "object": "chat.completion", "created": 0, "model": "m",
                            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                            "usage": {
                                "prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18
                            },
                        }
                    ).encode()  # fmt: skip
                    self.send_response(200)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

                def log_message(self, *_):
                    pass

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            servers.callback(server.server_close)
            servers.callback(server.shutdown)
            return bodies, f"http://127.0.0.1:{server.server_port}/v1"

        yield start


GIVEN = json.dumps({"labels": [{"number": 1, "category": "other"}]})


def test_a_reply_that_is_no_list_of_labels_is_asked_once_more(label_over):
    result, bodies = label_over(UNKNOWN[:1], "Let me think.", GIVEN)
    assert len(bodies) == 2
    assert (result.by_teacher, result.rows[0]["category"]) == (1, "other")


def test_it_is_not_asked_a_third_time_and_no_later_run_pays_again(label_over):
    result, bodies = label_over(UNKNOWN[:1], "Let me think.")
    assert (len(bodies), result.by_classifier) == (2, 1)
    again, later = label_over(UNKNOWN[:1], GIVEN)
    assert (later, again.by_classifier) == ([], 1)


def test_a_label_is_reused_whichever_way_it_was_written(label_over):
    label_over(UNKNOWN[:1], GIVEN)
    result, bodies = label_over(UNKNOWN[:1], GIVEN, dialect=Dialect(reply_format="text"))
    assert (bodies, result.by_teacher) == ([], 1)


def test_at_a_cap_the_classifier_labels_the_rest_and_the_next_run_asks(label_over):
    capped, bodies = label_over(UNKNOWN, GIVEN, run_max_tokens=0, run_id="one")
    assert (bodies, capped.by_classifier) == ([], 3)
    assert "BIOINSTRUCT_RUN_MAX_TOKENS" in capped.tally.stopped
    on, bodies = label_over(UNKNOWN, GIVEN)
    assert (len(bodies), on.by_teacher) == (1, 1)
