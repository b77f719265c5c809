"""210,000 hostile replies, drawn by seed: no error, no invented text, bounded work and memory."""

import contextlib
import json
import random
import sys
import tracemalloc
from json.decoder import scanstring

import pytest

from bioinstruct_dagster.generation.replies.reading import OUTCOMES, TASK_FIELDS, read_reply
from bioinstruct_dagster.rehearsal.recordings import read_recordings

TASK = {"instruction": "Name \u202eit.", "input": "", "output": "µg 😀"}
OTHER = {"instruction": 'List\n"two".', "input": "a \\ b", "output": "1. [x]\n2. {y}"}
JSON = json.dumps({"tasks": [TASK, OTHER]})
RAW = json.dumps([OTHER, TASK, OTHER], ensure_ascii=False, indent=1)
FENCED = f"Here:\n```json\n{JSON}\n```\nDone."
NUMBERED = "".join(
    f"###\n{n}. Instruction: {t['instruction']}\n{n}. Input:\n{t['input'] or '<noinput>'}\n"
    f"{n}. Output:\n{t['output']}\n"
    for n, t in enumerate([TASK, OTHER, TASK], 1)
)
ODD = ["\0", "\ud800", "\udfff", "\\ud83d", "\\u0000", "\\", '"', "\u202e", "\u200f", "\ufeff"]
TOKENS = [
    *(["{", "}", "[", "]", ",", ":"] * 3),
    *[f'"{name}"' for name in (*TASK_FIELDS, *TASK_FIELDS, "tasks", "tasks", "", "x")],
    *[f'"{name}": "a"' for name in TASK_FIELDS],
    *["1e999", "NaN", "-Infinity", "-", "0", "1.5", "true", "null", "tru", "9" * 5_000, " ", "\n"],
    *["```json\n", "```", "###\n", "1. Instruction:", "1. Input:", "1. Output:", "**", "Output:"],
    *["\n1. Instruction: ", "\n1. Input:\n", "\n1. Output:\n", "<noinput>", "Task 2:", "---\n"],
    *[json.dumps(TASK), json.dumps(OTHER), json.dumps({**TASK, "input": None}), *ODD],
]
FINISHES = ["stop", "length", "content_filter", None]


def random_bytes(draw: random.Random) -> str:
    way = draw.choice(["surrogateescape", "replace", "backslashreplace"])
    return draw.randbytes(draw.randrange(80)).decode("utf-8", way)


def soup(draw: random.Random) -> str:
    return "".join(draw.choices(TOKENS, k=draw.randrange(1, 25)))


def damaged(text: str, draw: random.Random) -> str:
    """The text after one to three faults of transport or of the model, at any place."""
    for _ in range(draw.randrange(1, 4)):
        start, end = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        match draw.randrange(6):
            case 0:
                text = text[:start]
            case 1:
                text = text[:start] + draw.choice(TOKENS) + text[start:]
            case 2:
                text = text[:start] + chr(draw.randrange(0x250)) + text[start + 1 :]
            case 3:
                text = text[:start] + text[end:]
            case 4:
                text = text[:end] + text[start:end] + text[end:]
            case 5:
                text = text[end:] + text[start:end] + text[:start]
    return text


def damaged_json(draw: random.Random) -> str:
    return damaged(draw.choice([JSON, RAW, FENCED]), draw)


def damaged_numbered(draw: random.Random) -> str:
    return damaged(NUMBERED, draw)


def damaged_recording(draw: random.Random) -> str:
    """A real reply with flipped bytes, spans moved, or spliced with another at any place."""
    one, other = (recording.content for recording in draw.choices(read_recordings(), k=2))
    if draw.random() < 0.3:
        return one[: draw.randrange(len(one) + 1)] + other[draw.randrange(len(other) + 1) :]
    if draw.random() < 0.4:
        flipped = bytearray(one.encode())
        for _ in range(draw.randrange(1, 5)):
            if flipped:
                flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        return flipped.decode("utf-8", draw.choice(["surrogateescape", "replace"]))
    return damaged(one, draw)


def wrong_types(draw: random.Random, depth: int = 0) -> object:
    kind = draw.randrange(9 if depth < 4 else 5)
    if kind < 5:
        return draw.choice([None, True, 1.5, "text", draw.choice(ODD)])
    if kind < 7:
        return [wrong_types(draw, depth + 1) for _ in range(draw.randrange(4))]
    names = draw.sample([*TASK_FIELDS, "tasks", "items", ""], draw.randrange(6))
    return {name: wrong_types(draw, depth + 1) for name in names}


def wrong_types_json(draw: random.Random) -> str:
    return json.dumps({"tasks": [TASK, wrong_types(draw), OTHER]} | {"a": wrong_types(draw)})


def literals(content: str) -> set[str]:
    found = set()
    place = content.find('"')
    while place >= 0:
        with contextlib.suppress(ValueError):
            found.add(scanstring(content, place + 1)[0].strip())
        place = content.find('"', place + 1)
    return found


def is_text(value: str) -> bool:
    try:
        return b"\0" not in value.encode("utf-8")
    except UnicodeEncodeError:
        return False


def check(content: str, finish_reason: str | None, form: str) -> int:
    """Read a reply and compare the tasks with its text; returns how many tasks were read."""
    reading = read_reply(content, finish_reason, None, form)
    assert reading.outcome in OUTCOMES
    assert len(reading.tasks) == len(reading.positions)
    assert reading.outcome != "parsed" or not reading.dropped
    if reading.tasks:
        sent = literals(content)
        for task in reading.tasks:
            assert tuple(task) == TASK_FIELDS
            assert all(is_text(text) and text == text.strip() for text in task.values())
            verbatim = all(text in content for text in task.values())
            assert verbatim or sent.issuperset(task.values())
    return len(reading.tasks)


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize(
    ("make", "number", "least"),
    [
        (random_bytes, 10_000, 0),
        (soup, 14_000, 400),
        (damaged_json, 8_000, 4_000),
        (damaged_numbered, 5_000, 4_000),
        (damaged_recording, 2_000, 2_000),
        (wrong_types_json, 3_000, 6_000),
    ],
)
def test_hostile_replies_raise_nothing_and_invent_nothing(make, number, least, part):
    draw = random.Random(f"{make.__name__} {part}")
    read = 0
    for _ in range(number):
        content, finish, form = make(draw), draw.choice(FINISHES), draw.choice(["json", "text"])
        try:
            read += check(content, finish, form)
        except Exception as error:
            error.add_note(f"reply {content!r}, finish_reason {finish!r}, form {form!r}")
            raise
    assert read >= least, "hardly a task was read: this fuzz tests nothing"


ROW = json.dumps(TASK)
# Each grows with its number; together they reach every loop of the readers.
GROWING = {
    "lists in lists": lambda n: "[" * n,
    "objects in objects": lambda n: '{"a":' * n,
    "closed lists in a task": lambda n: f'[{{"instruction":{"[" * n}{"]" * n}}}]',
    "empty lists": lambda n: "[" + "[]," * n,
    "empty objects": lambda n: '{"tasks":[' + "{}," * n,
    "lists by key": lambda n: "{" + '"x":[],' * n,
    "tasks by key": lambda n: "{" + f'"x":{ROW},' * n,
    "one field again and again": lambda n: "[{" + '"input":"a",' * n,
    "sound tasks": lambda n: "[" + f"{ROW}," * n,
    "lines of tasks": lambda n: f"{ROW}\n" * n,
    "brackets in prose": lambda n: "[a" * n,
    "quotes in prose": lambda n: '{"' * n,
    "fences": lambda n: "```json\n{" * n,
    "broken fences": lambda n: 'x```{"a":x' * n,
    "fenced scraps": lambda n: '```{"a":1}``` ' * n,
    "escapes": lambda n: '{"tasks":["' + "\\n" * n,
    "bad escapes": lambda n: '["\\x' * n,
    "blanks": lambda n: "[" + " \n" * n + "]",
    "digits": lambda n: "[" + "9" * n,
    "numbered tasks": lambda n: "1. Instruction: a\n1. Input:\n1. Output: b\n" * n,
    "labels": lambda n: "1. Instruction:\n" * n,
    "lower numbers": lambda n: "3. Instruction: a\n" + "1. Instruction:\n" * n,
    "running labels": lambda n: "1. Instruction:\n2. Input:\n3. Output: b\n" * n,
    "headings": lambda n: "### Instruction\n### Input\n### Response\n### Answer\n" * n,
    "headings out of order": lambda n: "### Response\n### Instruction\n" * n,
    "other styles": lambda n: "# Instruction\n" + "- Input: a\nAnswer: a\n" * n,
    "task lines": lambda n: "1.\nInstruction:\nInput:\nOutput: a" + "\n2." * n + "\nInstruction:",
    "separators": lambda n: "1. Instruction: a\n1. Input:\n1. Output:\n" + "###\n" * n + "x",
    "separators and labels": lambda n: "9. Instruction: a\n" + "###\n\n9. Input:\n" * n,
    "blank lines": lambda n: "2. Instruction:\n1. Instruction:" + "\n" * n + "1. Instruction:",
    "bold marks": lambda n: "**" * n,
    "blanks before a colon": lambda n: "1. Instruction" + " " * n + ":",
    "angles": lambda n: "1. Instruction:\n1. Input:" + "<" * n + "\n1. Output:",
    "backticks": lambda n: "`" * n,
}


def calls_of(content: str, form: str) -> int:
    """How many function calls reading a reply takes: a measure of work without a clock."""
    count = 0

    def tally(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        read_reply(content, "length", None, form)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("kind", GROWING)
def test_twice_the_reply_is_at_most_twice_the_work(kind, form):
    once, twice = (calls_of(GROWING[kind](n), form) for n in (1_000, 2_000))
    # Python's own calls, such as the collector's, make a count differ by less than a hundredth.
    assert twice <= 2.02 * once + 100


# The readers pass these in a few steps, so they are tried with a megabyte.
QUICK = {"escapes", "blanks", "digits", "bold marks", "blanks before a colon", "angles"}


@pytest.mark.parametrize("kind", GROWING)
def test_a_huge_reply_takes_a_small_multiple_of_its_own_memory(kind):
    each = len(GROWING[kind](1_000)) / 1_000
    content = GROWING[kind](int((1_000_000 if kind in QUICK else 100_000) / each))
    tracemalloc.start()
    try:
        reading = read_reply(content, "stop", None, "json")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reading.outcome in OUTCOMES
    assert most < 12 * sys.getsizeof(content)


def test_whole_tasks_are_found_in_a_reply_of_megabytes():
    long = {**TASK, "output": '\\n😀" ]}' * 200_000}
    nested = '{"a":' * 100_000 + "1" + "}" * 100_000
    content = f"[{ROW}, {nested}, {json.dumps(long)}, {ROW}, {{"
    reading = read_reply(content, "length", None)
    assert (reading.outcome, reading.positions) == ("truncated", (0, 2, 3))
    assert reading.tasks == (TASK, long, TASK)
