"""Chats: the first question and its answer become a row; the rest is counted."""

import json

import pytest

from bioinstruct_dagster.generation.imports.chats import (
    ChatFaultError,
    Chats,
    Pair,
    chat_columns,
    is_chat,
)


def openai(*turns):
    return [{"role": role, "content": content} for role, content in turns]


def sharegpt(*turns):
    return [{"from": role, "value": text} for role, text in turns]


PAIR = Pair("Q?", "A.")


@pytest.mark.parametrize(
    "chat",
    [
        openai(("user", "Q?"), ("assistant", "A.")),
        openai((" User", " Q? "), ("ASSISTANT", "A.\n")),
        openai(("user", "Q?"), ("model", "A.")),
        openai(("user", [{"type": "text", "text": "Q?"}]), ("assistant", ["A."])),
        sharegpt(("human", "Q?"), ("gpt", "A.")),
        sharegpt(("gpt", "Hello!"), ("human", "Q?"), ("bot", "A.")),
        sharegpt(("Patient", "Q?"), ("Doctor", "A.")),
        {"role": ["user", "assistant"], "content": ["Q?", "A."]},
        json.dumps(openai(("user", "Q?"), ("assistant", "A."))),
    ],
)
def test_each_form_of_a_chat_gives_its_first_pair(chat):
    chats = Chats()
    assert is_chat(chat)
    assert chats.pair("line 1", chat) == PAIR
    assert chats.notes == []


def test_questions_that_follow_each_other_are_one_question():
    chat = openai(("user", "I cough."), ("user", "Why?"), ("assistant", "A cold."))
    assert Chats().pair("line 1", chat) == Pair("I cough.\n\nWhy?", "A cold.")


def test_further_messages_are_counted():
    chats = Chats()
    short = openai(("user", "Q?"), ("assistant", "A."))
    for chat in (short, short * 2, short * 3):
        assert chats.pair("line 1", chat) == PAIR
    assert chats.notes == [
        "2 of 3 chats go on after the first question and answer: 6 messages are not imported"
    ]


@pytest.mark.parametrize("beside", [None, "Be kind.", " "])
def test_a_system_message_stands_before_the_question_and_is_counted(beside):
    chats = Chats()
    turns = [("user", "Q?"), ("assistant", "A.")]
    chat = openai(*turns) if beside else openai(("system", "Be kind."), *turns)
    assert chats.pair("line 1", chat, beside) == (
        PAIR if beside == " " else Pair("Be kind.\n\nQ?", "A.")
    )
    assert len(chats.notes) == (beside != " ")


CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]}
ANSWER_AFTER_A_TOOL = openai(("tool", "found"), ("assistant", "A."), ("user", "R?"))
IMAGE = {"type": "image_url", "image_url": {"url": "x"}}
NEXT = openai(("user", "And then?"), ("assistant", "B."))
NO_PAIR = "no answer follows a question"
NULL = "the chat is null or empty"
TOOL = "the first answer comes after a tool call, whose result a row can't hold"
NO_TEXT = "a message has a part that is no text, such as an image ('image_url')"


@pytest.mark.parametrize(
    ("chat", "reason"),
    [
        ([], NULL),
        (None, NULL),
        (float("nan"), NULL),
        (" ", NULL),
        ("null", NULL),
        (openai(("user", "Q?")), NO_PAIR),
        (openai(("assistant", "A.")), NO_PAIR),
        (openai(("user", " "), ("assistant", "A.")), NO_PAIR),
        (openai(("user", "Q?"), ("tool", "found"), ("assistant", "A.")), TOOL),
        (openai(("user", "Q?"), ("assistant", None)) + ANSWER_AFTER_A_TOOL, NO_PAIR),
        ([*openai(("user", "Q?")), CALL, *ANSWER_AFTER_A_TOOL], TOOL),
        # What stands beside a call is no answer yet.
        ([*openai(("user", "Q?")), {**CALL, "content": "Wait."}, *ANSWER_AFTER_A_TOOL], TOOL),
        ([*openai(("user", "Q?")), openai(("assistant", [{"type": "tool_use"}]))[0], *NEXT], TOOL),
        (sharegpt(("human", "Q?"), ("function_call", "{}"), ("gpt", "A.")), TOOL),
        # Without its picture, neither this question nor one that follows it can be answered.
        (openai(("user", [{"type": "text", "text": "Q?"}, IMAGE]), ("assistant", "A.")), NO_TEXT),
        (openai(("user", [IMAGE]), ("assistant", "A.")) + NEXT, NO_TEXT),
        (openai(("user", "Q?"), ("assistant", [IMAGE])) + NEXT, NO_TEXT),
    ],
)
def test_a_chat_without_a_pair_of_texts_is_counted_with_its_place_and_reason(chat, reason):
    chats = Chats()
    assert chats.pair("line 7", chat) is None
    (note,) = chats.notes
    assert note == f"1 of 1 chats are not imported, because {reason}: line 7"


def test_each_reason_has_its_count():
    chats = Chats()
    for line, chat in enumerate([None, [CALL], None, NEXT, [*NEXT[:1], CALL]], start=1):
        chats.pair(f"line {line}", chat)
    assert chats.notes == [
        f"2 of 5 chats are not imported, because {NULL}: line 1, 3",
        f"1 of 5 chats are not imported, because {NO_PAIR}: line 2",
        f"1 of 5 chats are not imported, because {TOOL}: line 5",
    ]


def test_empty_lists_of_calls_are_no_calls():
    chat = [{**message, "tool_calls": [], "function_call": None} for message in NEXT]
    assert Chats().pair("line 1", chat) == Pair("And then?", "B.")


def test_the_first_line_of_an_answer_keeps_its_blanks():
    chat = openai(("user", "\n  Make a table.\n"), ("assistant", "\n   A B\n   1 2\n"))
    assert Chats().pair("line 1", chat) == Pair("Make a table.", "   A B\n   1 2")


def test_other_speakers_are_named():
    chats = Chats()
    chats.pair("line 1", sharegpt(("human", "Q?"), ("narrator", "x")))
    assert chats.notes[0].endswith("(other speakers: 'narrator')")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("text", "expected a list of messages, found text"),
        (7, "expected a list of messages, found int"),
        (["text"], "message 1 is no object"),
        ([{"role": "user", "content": "Q"}, {"content": "A"}], "message 2 has no role"),
        ([{"role": "user", "content": 3}], "message 1: expected text as its content, found int"),
    ],
)
def test_what_is_no_chat_is_refused_in_words(value, said):
    with pytest.raises(ChatFaultError, match=said):
        Chats().pair("line 1", value)
    assert not is_chat(value) or "content" in said


def test_the_usual_column_is_taken_before_others():
    chat = openai(("user", "Q?"))
    assert chat_columns({"a": chat, "conversations": chat, "text": "x"}) == ["conversations"]
    assert chat_columns({"chosen": chat, "rejected": chat, "tags": ["x"]}) == ["chosen", "rejected"]
    assert chat_columns({"options": [{"key": "A", "text": "x"}], "empty": []}) == []
