"""Labelling with the real rehearsal teacher, and the embedded classifier for the other rows."""

import contextlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bioinstruct_dagster.curation.category.agreement import draw_sample
from bioinstruct_dagster.curation.category.classifier import REVIEW_CONFIDENCE
from bioinstruct_dagster.curation.category.labelling import (
    EMBEDDED_CLASSIFIER,
    Labelling,
    label_rows,
)
from bioinstruct_dagster.curation.category.prompts import FIRST_PASS, category_question
from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.rehearsal.recordings import (
    normalized,
    read_recordings,
    recorded_labels,
)
from bioinstruct_dagster.seeds.tasks import CATEGORIES, read_seed_tasks
from bioinstruct_dagster.teacher.answers import stored_answers
from bioinstruct_dagster.teacher.session import open_session
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

pytestmark = pytest.mark.usefixtures("one_blas_thread")

UNKNOWN_INSTRUCTIONS = [
    "Extract every beta blocker named in the ward round entry below.",
    "Explain to a worried parent how a febrile seizure is managed at home.",
    "Which cranial nerve is tested by the corneal reflex, afferent limb?",
]


@pytest.fixture
def seeded_store(store, settings):
    """The store with the seed tasks, which are examples for the classifier."""
    seeds = read_seed_tasks(settings.seeds.file)
    store.replace({"seed_tasks": [seed.to_row(n) for n, seed in enumerate(seeds)]})
    return store


@pytest.fixture
def label(seeded_store, settings):
    """Label instructions as the asset does."""

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
        with open_session(settings, seeded_store, lambda _: None) as session:
            return label_rows(rows, session)

    return run


def known_instructions(count):
    """Recorded instructions with a recorded label."""
    texts = [
        task["instruction"]
        for recording in read_recordings()
        for task in read_reply(recording.content, "stop", None).tasks
    ]
    return list(dict.fromkeys(texts))[:count]


def test_the_classifier_labels_rows_the_teacher_does_not_know(label, seeded_store):
    known = known_instructions(27)
    mixed = [
        UNKNOWN_INSTRUCTIONS[0],
        *known[:20],
        UNKNOWN_INSTRUCTIONS[1],
        *known[20:],
        UNKNOWN_INSTRUCTIONS[2],
    ]
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
        if row["instruction"] in UNKNOWN_INSTRUCTIONS:
            assert row["labelled_by"] == EMBEDDED_CLASSIFIER
            assert row["category"] in CATEGORIES
            assert 0.25 <= row["confidence"] <= 1
            assert row["needs_review"] == (row["confidence"] < REVIEW_CONFIDENCE)
            assert row["label_completion_id"] is None
            assert not row["rehearsal"]
        else:
            assert row["labelled_by"] == "teacher:rehearsal-teacher"
            assert row["category"] == recorded[normalized(row["instruction"])]
            assert row["confidence"] is None
            assert not row["needs_review"]
            assert not row["rehearsal"]  # of the text; `labelled_by` names the label's source
            assert row["label_completion_id"] in categorizations
    assert (result.by_teacher, result.by_classifier) == (27, 3)
    assert result.cross_validated_accuracy > 0.7
    # 30 instructions in batches of 20, and 20 of them a second time.
    assert result.tally.asked == 3


def test_no_classifier_is_used_if_the_teacher_labels_all_rows(label):
    result = label(known_instructions(5))
    assert result.cross_validated_accuracy is None
    assert Counter(row["labelled_by"] for row in result.rows) == {"teacher:rehearsal-teacher": 5}


@pytest.mark.parametrize(
    "instructions",
    [
        pytest.param(known_instructions(25), id="all known to the teacher"),
        pytest.param([*known_instructions(25), *UNKNOWN_INSTRUCTIONS], id="some known"),
    ],
)
def test_a_second_labelling_sends_nothing_and_agrees(label, instructions):
    first, second = label(instructions), label(instructions)
    assert first.tally.asked > 0
    assert second.tally.asked == 0
    assert second.rows == first.rows


def test_a_grown_set_asks_only_about_the_new_instructions(label, seeded_store):
    texts = known_instructions(24)
    assert label(texts[:20]).tally.asked == 2  # all twice: they are no more than 20
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


def test_rows_with_equal_instructions_share_one_label(label, seeded_store):
    (text,) = known_instructions(1)
    result = label([text, text])
    assert result.by_teacher == 2
    assert result.rows[0]["category"] == result.rows[1]["category"]
    passes = seeded_store.rows("select pass from category_labels order by pass")
    assert passes == [{"pass": 1}, {"pass": 2}]


def test_the_label_of_another_model_is_not_used(label, seeded_store, settings):
    (text,) = known_instructions(1)
    label([text])
    nowhere = Endpoint(None, "k", rehearsal=False)

    def known(teacher, model):
        session = session_of(nowhere, seeded_store, teacher=teacher, model=model)
        return stored_answers(session, category_question(FIRST_PASS), [text])

    assert known(settings.teacher.name, settings.teacher.model)
    assert not known(settings.teacher.name, "another")
    assert not known("openai", settings.teacher.model)


@pytest.fixture
def label_over(seeded_store, serve_labels):
    """Label instructions with a server of given replies; return the labellers and the requests."""

    def run(instructions, *contents, review_below=REVIEW_CONFIDENCE, **terms):
        rows = [
            {"row_id": f"r{n}", "ordinal": n, "instruction": text, "input": "", "rehearsal": False}
            for n, text in enumerate(instructions)
        ]
        bodies, url = serve_labels(contents)
        result = label_rows(
            rows,
            session_of(
                Endpoint(url, "k", rehearsal=False),
                seeded_store,
                model="gpt-4.1-mini",
                terms=Terms(**terms),
            ),
            review_below=review_below,
        )
        return result, bodies

    return run


@pytest.fixture
def serve_labels():
    """Answer the first request with the first content, and so on; the last one repeats.

    A content may be a function of the request's body.
    """
    with contextlib.ExitStack() as servers:

        def start(contents):
            bodies = []

            class Handler(BaseHTTPRequestHandler):
                def do_POST(self):
                    bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                    content = contents[min(len(bodies), len(contents)) - 1]
                    content = content(bodies[-1]) if callable(content) else content
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


ONE_LABEL = json.dumps({"labels": [{"number": 1, "category": "other"}]})


def test_a_reply_that_is_no_list_of_labels_is_asked_once_more(label_over):
    result, bodies = label_over(UNKNOWN_INSTRUCTIONS[:1], "Let me think.", ONE_LABEL)
    assert len(bodies) == 3  # two passes, and one reply repeated
    assert (result.by_teacher, result.rows[0]["category"]) == (1, "other")


def test_no_third_request_is_sent_and_no_later_run_pays(label_over):
    result, bodies = label_over(UNKNOWN_INSTRUCTIONS[:1], "Let me think.")
    assert (len(bodies), result.by_classifier) == (4, 1)  # two passes, each asked twice
    again, later = label_over(UNKNOWN_INSTRUCTIONS[:1], ONE_LABEL)
    assert (later, again.by_classifier) == ([], 1)


def test_a_label_is_reused_whichever_way_it_was_written(label_over):
    label_over(UNKNOWN_INSTRUCTIONS[:1], ONE_LABEL)
    result, bodies = label_over(
        UNKNOWN_INSTRUCTIONS[:1], ONE_LABEL, dialect=Dialect(reply_format="text")
    )
    assert (bodies, result.by_teacher) == ([], 1)


def test_at_a_cap_the_classifier_labels_and_the_next_run_asks(label_over):
    capped, bodies = label_over(UNKNOWN_INSTRUCTIONS, ONE_LABEL, run_max_tokens=0, run_id="one")
    assert (bodies, capped.by_classifier) == ([], 3)
    assert "BIOINSTRUCT_RUN_MAX_TOKENS" in capped.tally.stopped
    on, bodies = label_over(UNKNOWN_INSTRUCTIONS, ONE_LABEL)
    assert (len(bodies), on.by_teacher) == (2, 1)


def test_a_sample_is_labelled_twice_and_nothing_is_paid_again(label, seeded_store):
    known = known_instructions(30)
    first = label(known)
    assert (first.agreement.sampled, first.agreement.compared) == (20, 20)
    stored = seeded_store.rows("select instruction, category from category_labels where pass = 2")
    assert {row["instruction"] for row in stored} == set(draw_sample(known))
    assert label(known).agreement == first.agreement
    grown = label(known_instructions(40))
    twice = draw_sample(known_instructions(40), draw_sample(known))
    assert grown.agreement.sampled == len(twice) <= 22
    assert grown.tally.asked == 1 + (len(twice) > 20)


def test_a_rehearsal_agrees_with_itself_and_is_marked(label):
    result = label(known_instructions(30))
    assert result.agreement.share == 1.0
    assert result.agreement.kappa == 1.0
    assert result.agreement.rehearsal
    assert result.to_review == 0


def numbered(body):
    """The instructions of a request, in its numbering."""
    lines = body["messages"][-1]["content"].split("\n")
    return [json.loads(line)["instruction"] for line in lines if line.startswith('{"number"')]


def labels_by(choose):
    """A teacher that labels each instruction by `choose(all of the request, one)`."""

    def answer(body):
        texts = numbered(body)
        return json.dumps(
            {
                "labels": [
                    {"number": n, "category": choose(texts, t)} for n, t in enumerate(texts, 1)
                ]
            }
        )

    return answer


DIVERGENT_INSTRUCTION = UNKNOWN_INSTRUCTIONS[1]


@pytest.fixture
def fickle():
    """A teacher that labels one instruction differently in the second pass."""
    return labels_by(
        lambda texts, text: (
            "generation"
            if text == DIVERGENT_INSTRUCTION and texts == UNKNOWN_INSTRUCTIONS
            else "other"
        )
    )


def test_rows_with_two_different_labels_are_flagged(label_over, fickle):
    assert (
        draw_sample(UNKNOWN_INSTRUCTIONS) != UNKNOWN_INSTRUCTIONS
    )  # what tells the passes apart here
    result, bodies = label_over(UNKNOWN_INSTRUCTIONS, fickle)
    assert sorted(map(numbered, bodies)) == sorted(
        [UNKNOWN_INSTRUCTIONS, draw_sample(UNKNOWN_INSTRUCTIONS)]
    )
    assert (result.agreement.compared, result.agreement.agreed) == (3, 2)
    assert result.agreement.other_labels == {DIVERGENT_INSTRUCTION: "other"}
    assert not result.agreement.rehearsal
    assert [row["needs_review"] for row in result.rows] == [False, True, False]
    assert result.to_review == 1
    assert [row["category"] for row in result.rows] == ["other", "generation", "other"]
    found = dict(result.findings())
    assert {row_id: finding.verdict for row_id, finding in found.items()} == {
        "r0": "keep",
        "r1": "flag",
        "r2": "keep",
    }
    flagged = found["r1"]
    assert flagged.evidence == {"category": "generation", "second": "other"}
    assert (flagged.rule, flagged.score) == ("teacher:gpt-4.1-mini", None)
    assert flagged.version == category_question(FIRST_PASS).prompt.template_sha256()[:12]
    assert found["r0"].evidence == {"category": "other", "second": None}


def test_one_instruction_alone_is_asked_about_twice_too(label_over):
    result, bodies = label_over(UNKNOWN_INSTRUCTIONS[:1], ONE_LABEL)
    assert len(bodies) == 2
    assert (result.agreement.compared, result.agreement.kappa) == (1, None)


def test_without_teacher_labels_there_is_no_agreement(label_over):
    result, _ = label_over(UNKNOWN_INSTRUCTIONS, json.dumps({"labels": []}))
    assert result.agreement is None
    assert result.by_classifier == 3


@pytest.mark.parametrize(("threshold", "verdict"), [(0.0, "keep"), (1.0, "flag")])
def test_rows_of_low_confidence_are_flagged(label_over, threshold, verdict):
    result, _ = label_over(UNKNOWN_INSTRUCTIONS, json.dumps({"labels": []}), review_below=threshold)
    assert result.to_review == (3 if verdict == "flag" else 0)
    for (row_id, finding), row in zip(result.findings(), result.rows, strict=True):
        assert (row_id, finding.rule) == (row["row_id"], EMBEDDED_CLASSIFIER)
        assert (finding.verdict, finding.score) == (verdict, row["confidence"])
        assert finding.evidence["category"] == row["category"]
        assert finding.evidence["second"] in set(CATEGORIES) - {row["category"]}
        assert len(finding.version) == 12


def test_the_classifier_gives_an_account_of_itself(label_over):
    result, _ = label_over(UNKNOWN_INSTRUCTIONS, json.dumps({"labels": []}))
    assert result.calibration.rows > 1_000
    assert result.calibration.expected_calibration_error < 0.05
    assert sum(line["rows"] for line in result.calibration.table()) == result.calibration.rows
