"""The forms of requests and answers: JSON, numbered text, probes, and the Responses endpoint."""

import json
import re

import pytest
from openai import BadRequestError

from bioinstruct_dagster.rehearsal import FINGERPRINT
from bioinstruct_dagster.rehearsal.recordings import read_recordings

TEXT = {"type": "text"}
JSON_OBJECT = {"type": "json_object"}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "biomedical_tasks", "schema": {}}}
RESPONSES_SCHEMA = {"format": {"type": "json_schema", "name": "biomedical_tasks", "schema": {}}}
PROBE = {"type": "json_schema", "json_schema": {"name": "format_probe", "schema": {}}}
PROBE_TASKS = {"tasks": [{"instruction": "Name one vitamin.", "input": "", "output": "Vitamin C."}]}
PROBE_TEXT = "###\n1. Instruction: Name one vitamin.\n1. Input:\n<noinput>\n1. Output:\nVitamin C."


def sound():
    """Seed and recording of each recording that holds nothing but JSON."""
    for seed, recording in enumerate(read_recordings()):
        if recording.content.startswith("{") and recording.finish_reason == "stop":
            try:
                yield seed, recording, json.loads(recording.content)["tasks"]
            except ValueError:
                continue


def seed_of(fault: str) -> int:
    return next(n for n, recording in enumerate(read_recordings()) if fault in recording.faults)


@pytest.fixture
def server(serve):
    return serve()


def text_of(reply) -> str:
    return reply.choices[0].message.content


def test_without_a_response_format_tasks_come_as_numbered_text(server):
    seed, _, tasks = next(
        (s, r, t) for s, r, t in sound() if any(not x["input"] for x in t) and len(t) > 3
    )
    blocks = []
    for number, task in enumerate(tasks, start=1):
        blocks += [
            "###",
            f"{number}. Instruction: {task['instruction']}",
            f"{number}. Input:",
            task["input"] or "<noinput>",
            f"{number}. Output:",
            task["output"],
        ]
    messages = [{"role": "user", "content": "Write five tasks."}]
    bare = server.client.chat.completions.create(model="m", messages=messages, seed=seed)
    assert text_of(bare) == "\n".join(blocks)
    assert text_of(server.ask(seed, response_format=TEXT)) == "\n".join(blocks)


def test_every_whole_task_of_every_recording_is_in_its_text(server):
    for seed, recording in enumerate(read_recordings()):
        text = text_of(server.ask(seed, response_format=TEXT))
        for instruction, _ in recording.labels():
            assert f". Instruction: {instruction}\n" in text
        assert len(re.findall(r"^\d+\. Instruction: ", text, re.MULTILINE)) == len(
            re.findall(r'"instruction"', recording.content)
        )


def test_a_cut_recording_is_cut_as_text_too(server):
    seed = seed_of("truncated")
    recording = read_recordings()[seed]
    reply = server.ask(seed, response_format=TEXT)
    assert reply.choices[0].finish_reason == "length"
    last = text_of(reply).split("###\n")[-1]
    assert re.search(r"^\d\. Output:\n.", last, re.MULTILINE)
    assert last.endswith(recording.content[-30:])


def test_a_broken_task_costs_no_neighbour(server):
    text = text_of(server.ask(seed_of("broken_json"), response_format=TEXT))
    broken, *rest = text.split("###\n")[1:]
    assert "1. Output:" not in broken
    assert rest
    assert all(re.search(r"^\d\. Output:\n.", block, re.MULTILINE) for block in rest)


@pytest.mark.parametrize("asked", [JSON_OBJECT, SCHEMA])
def test_both_structured_formats_get_the_recording_verbatim(server, asked):
    for seed in range(5):
        reply = server.ask(seed, response_format=asked)
        assert text_of(reply) == read_recordings()[seed].content


@pytest.mark.parametrize("asked", [TEXT, JSON_OBJECT])
def test_a_categorization_without_a_schema_is_known_by_its_prompt(server, asked):
    (instruction, category), *_ = read_recordings()[0].labels()
    line = json.dumps({"number": 7, "instruction": instruction})
    unknown = json.dumps({"number": 8, "instruction": "Nobody ever recorded this."})
    odd = json.dumps({"number": 9, "instruction": 9})
    prompt = f"Categorize, in JSON:\n{line}\n{unknown}\n{odd}"
    reply = server.ask(prompt=prompt, response_format=asked)
    assert json.loads(text_of(reply)) == {"labels": [{"number": 7, "category": category}]}


def test_examples_in_a_generation_prompt_are_no_categorization(server):
    task = json.dumps({"instruction": "Name one vitamin.", "number": 1}, indent=1)
    reply = server.ask(3, prompt=f"Write JSON like\n{task}")
    assert text_of(reply) == read_recordings()[3].content


@pytest.mark.parametrize(("asked", "word"), [(PROBE, ""), (JSON_OBJECT, "format-probe")])
def test_a_probe_gets_a_tiny_reply_in_the_format_it_asks_for(server, asked, word):
    reply = server.ask(prompt=f"Answer as json. {word}", response_format=asked)
    assert json.loads(text_of(reply)) == PROBE_TASKS


def test_a_probe_for_text_gets_text(server):
    assert text_of(server.ask(prompt="format-probe", response_format=TEXT)) == PROBE_TEXT


@pytest.mark.parametrize(
    ("formats", "asked", "accepted"),
    [
        ({"json_object"}, SCHEMA, False),
        ({"json_object"}, JSON_OBJECT, True),
        ({"json_schema"}, JSON_OBJECT, False),
        ({"json_schema"}, SCHEMA, True),
        (set(), SCHEMA, False),
        (set(), JSON_OBJECT, False),
        (set(), TEXT, True),
        ({"json_schema"}, {"type": "grammar"}, False),
    ],
)
def test_a_format_the_server_lacks_is_refused_by_name(serve, formats, asked, accepted):
    server = serve(formats=frozenset(formats))
    if accepted:
        assert text_of(server.ask(response_format=asked))
        return
    with pytest.raises(BadRequestError, match=asked["type"]) as refused:
        server.ask(response_format=asked)
    assert refused.value.param == "response_format"
    assert server.teacher.ledger.billed == 0


def test_json_objects_need_the_word_json_in_the_prompt(server):
    with pytest.raises(BadRequestError, match="must contain the word 'json'") as refused:
        server.ask(prompt="Write five tasks.", response_format=JSON_OBJECT)
    assert refused.value.param == "messages"


def test_a_message_may_come_in_parts(server):
    parts = [{"type": "text", "text": "Write "}, {"type": "text", "text": "tasks."}]
    whole = server.ask(1, prompt="Write tasks.", response_format=SCHEMA)
    assert server.ask(1, prompt=parts, response_format=SCHEMA).id == whole.id


def test_the_flex_tier_is_echoed_where_it_is_served(serve):
    assert serve().ask(service_tier="flex").service_tier == "flex"
    assert serve().ask(service_tier="auto").service_tier == "default"
    without = serve(service_tiers=frozenset({"default"}))
    assert without.ask(service_tier="flex").service_tier == "default"


def test_usage_can_be_fixed(serve):
    usage = serve(prompt_tokens=600, answer_tokens=120).ask().usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (600, 120, 720)


class TestResponses:
    """POST /v1/responses."""

    def ask(self, server, prompt="Write tasks.", **asked):
        create = server.client.responses.create
        return create(model="m", input=prompt, **{"text": RESPONSES_SCHEMA, **asked})

    def test_the_seed_of_the_metadata_points_to_a_recording(self, server):
        for seed in (0, 5, len(read_recordings()) + 2):
            reply = self.ask(server, metadata={"seed": str(seed)})
            recording = read_recordings()[seed % len(read_recordings())]
            assert reply.output_text == recording.content
            assert reply.metadata == {"seed": str(seed)}
            assert reply.status == "completed"
            assert reply.system_fingerprint == FINGERPRINT

    def test_without_a_seed_the_prompt_decides(self, server):
        replies = [self.ask(server, f"Write task set {n}.") for n in range(20)]
        again = [self.ask(server, f"Write task set {n}.") for n in range(20)]
        assert [r.output_text for r in replies] == [r.output_text for r in again]
        assert len({r.output_text for r in replies}) > 10

    def test_messages_and_instructions_make_the_prompt(self, server):
        messages = [
            {"role": "user", "content": "Write tasks."},
            {"role": "user", "content": [{"type": "input_text", "text": "Now."}]},
        ]
        reply = self.ask(server, messages, instructions="You write.", max_output_tokens=99)
        prompt = "You write.\nWrite tasks.\nNow."
        assert reply.usage.input_tokens == -(-len(prompt) // 4)
        assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens
        assert reply.instructions == "You write."
        assert reply.max_output_tokens == 99
        assert reply.output_text == self.ask(server, prompt).output_text

    def test_a_cut_recording_is_incomplete(self, server):
        seed = seed_of("truncated")
        reply = self.ask(server, metadata={"seed": str(seed)})
        assert reply.status == "incomplete"
        assert reply.incomplete_details.reason == "max_output_tokens"
        assert reply.output_text == read_recordings()[seed].content

    def test_a_refusal_has_its_own_kind_of_content(self, server):
        seed = seed_of("refusal")
        reply = self.ask(server, metadata={"seed": str(seed)})
        (content,) = reply.output[0].content
        assert content.type == "refusal"
        assert content.refusal == read_recordings()[seed].refusal
        assert reply.output_text == ""

    def test_text_and_probes_work_here_too(self, server):
        text = {"format": {"type": "text"}}
        assert self.ask(server, "format-probe", text=text).output_text == PROBE_TEXT
        named = {"format": {"type": "json_schema", "name": "format_probe", "schema": {}}}
        assert json.loads(self.ask(server, text=named).output_text) == PROBE_TASKS

    def test_categories_are_given_here_too(self, server):
        (instruction, category), *_ = read_recordings()[0].labels()
        named = {"format": {"type": "json_schema", "name": "category_labels", "schema": {}}}
        line = json.dumps({"number": 1, "instruction": instruction})
        reply = self.ask(server, f"Categorize.\n{line}", text=named)
        assert json.loads(reply.output_text)["labels"] == [{"number": 1, "category": category}]

    def test_a_format_the_server_lacks_is_refused_by_name(self, serve):
        with pytest.raises(BadRequestError, match="json_schema") as refused:
            self.ask(serve(formats=frozenset()))
        assert refused.value.param == "text.format"

    @pytest.mark.parametrize(
        "body", [{}, {"input": None}, {"input": [{"type": "item_reference"}]}, {"input": []}]
    )
    def test_what_is_no_request_is_refused(self, server, body):
        status, _, answer = server.post("/v1/responses", json.dumps(body).encode())
        assert status == 400
        assert "not a responses request" in answer["error"]["message"]
