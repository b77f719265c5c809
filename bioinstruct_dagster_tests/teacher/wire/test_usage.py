"""The tokens of a reply: never fewer than were billed, and never more than an honest count."""

import json

import pytest
from aiohttp import web

from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.teacher.wire.usage import fewest_tokens, read_usage, usual_tokens


def chat(prompt, completion, **more):
    return {"prompt_tokens": prompt, "completion_tokens": completion, **more}


def reasoning(tokens):
    return {"completion_tokens_details": {"reasoning_tokens": tokens}}


@pytest.mark.parametrize(
    ("usage", "tokens", "cached"),
    [
        (chat(5, 7), 12, 0),
        (chat(5, 7, prompt_tokens_details={"cached_tokens": 4}), 12, 4),
        (chat(5, 7, cached_tokens=4), 12, 4),
        (chat(5, 7, prompt_cache_hit_tokens=4, prompt_cache_miss_tokens=1), 12, 4),
        (chat(0, 0, total_tokens=0), None, 0),
        (chat(0, 7), None, 0),
        (chat(5, 0), None, 0),
        (chat(5, 7, total_tokens=50), 50, 0),
        (chat(5, 7, total_tokens=3), 12, 0),
        (chat(5, 7, total_tokens="many"), 12, 0),
        (chat(5, 7, **reasoning(6)), 12, 0),
        (chat(5, 7, **reasoning(8)), 20, 0),
        (chat(5, 7, reasoning_tokens=8), 20, 0),
        (chat(5, 7, total_tokens=20, **reasoning(8)), 20, 0),
        (chat(5, 7, total_tokens=12, **reasoning(5)), 12, 0),
        # The names say nothing by the way.
        (chat(5, 7, prompt_tokens_details=5), 12, 0),
        (chat(5, 7, completion_tokens_details=[1]), 12, 0),
        (chat(5, 7, completion_tokens_details={"reasoning_tokens": "x"}), 12, 0),
        (chat(5.0, 7.0), 12, 0),
        (chat("5", " 7 "), 12, 0),
        (chat("5", "seven"), None, 0),
        (chat(5, None, total_tokens=12), 12, 0),
        (chat(None, 7, total_tokens=12), 12, 0),
        (chat(2**31, 2**31, **reasoning(2**31)), 2**32, 0),
        ("much", None, 0), ([1, 2], None, 0), (False, None, 0), (None, None, 0), ({}, None, 0),
        ({"prompt_tokens": 5}, None, 0),
        (chat(5, None), None, 0), (chat(5, -7), None, 0), (chat(5, 7.5), None, 0),
        (chat(True, 7), None, 0), (chat(10**40, 7), None, 0), (chat("9" * 40, 7), None, 0),
        (chat(5, float("inf")), None, 0),
    ],
)  # fmt: skip
def test_tokens_are_taken_from_a_usage_that_makes_sense(answered, usage, tokens, cached):
    body = {"choices": [{"message": {"content": "hi"}}], "usage": usage}
    reply = answered(lambda: web.Response(text=json.dumps(body)))
    assert (reply.content, reply.tokens, reply.cached_tokens) == ("hi", tokens, cached)
    renamed = json.loads(
        json.dumps(usage).replace("prompt_tok", "input_tok").replace("completion_tok", "output_tok")
    )
    message = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
    body = {"output": [message], "usage": renamed}
    reply = answered(lambda: web.Response(text=json.dumps(body)), api="responses")
    assert (reply.content, reply.tokens, reply.cached_tokens) == ("hi", tokens, cached)


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        # Anthropic counts what it read from the cache, and what it wrote there, apart.
        ({"input_tokens": 5, "output_tokens": 7, "cache_read_input_tokens": 90,
          "cache_creation_input_tokens": 10}, (105, 90, 7)),
        ({"input_tokens": 100, "output_tokens": 7, "cache_read_input_tokens": 90}, (190, 90, 7)),
        # LiteLLM has Anthropic's names, and counts the cached part in the prompt.
        (chat(100, 7, total_tokens=107, cache_read_input_tokens=90), (100, 90, 7)),
        (chat(100, 7, cache_read_input_tokens=90), (100, 90, 7)),
        ({"input_tokens": 100, "output_tokens": 7, "total_tokens": 107,
          "cache_read_input_tokens": 90}, (100, 90, 7)),
        # A prompt can't contain more cached tokens than it has.
        (chat(5, 7, cache_read_input_tokens=90), (95, 90, 7)),
        (chat(5, 7, total_tokens=102, cached_tokens=90), (95, 90, 7)),
        # Thinking that is only in the total is output, not a part of the prompt.
        (chat(100, 7, total_tokens=307, prompt_tokens_details={"cached_tokens": 90}),
         (100, 90, 207)),
        ({"promptTokenCount": 5, "candidatesTokenCount": 7, "thoughtsTokenCount": 30,
          "totalTokenCount": 42}, (5, 0, 37)),
    ],
)  # fmt: skip
def test_cached_and_thought_tokens_are_counted_once(usage, read):
    assert read_usage(usage, "hi", None) == read


def test_reasoning_that_leaves_no_room_for_the_text_was_counted_apart():
    text = "The patient has a fever. " * 20
    assert read_usage(chat(5, 125, **reasoning(110)), text, None) == (5, 0, 235)
    assert read_usage(chat(5, 235, **reasoning(110)), text, None) == (5, 0, 235)


def test_a_reply_without_text_may_take_no_output_tokens():
    assert read_usage(chat(5, 0), "", None) == (5, 0, 0)


# Texts with their counts by the tokenizer that makes the fewest tokens of them (Qwen or tekken).
HONEST = {
    "Chinese": (
        ("患者，男，65岁，因反复胸闷、气促3个月，加重1周入院。既往有高血压病史10年，最高血压180/110毫米"
        "汞柱，规律服用氨氯地平。请根据上述病历摘要，列出可能的诊断，并说明进一步检查的方案。慢性心力衰竭是"
        "各种心脏疾病的严重表现或晚期阶段，死亡率和再住院率居高不下。"), 97),
    "Korean": (
        ("환자는 65세 남성으로 3개월 전부터 반복되는 가슴 답답함과 호흡곤란이 있어 "
         "입원하였다. 고혈압 병력이 있으며 암로디핀을 복용 중이다. 가능한 진단을 "
         "나열하고 필요한 검사를 설명하시오."), 61),
    "German": (
        ("Der 65-jährige Patient wurde wegen wiederkehrender Brustschmerzen und Atemnot "
         "aufgenommen. Blutdruckmessungen und Herzkatheteruntersuchungen wurden durchgeführt; eine "
         "Niereninsuffizienz wurde ausgeschlossen."), 49),
    "Russian": (
        ("Пациент, мужчина 65 лет, поступил с жалобами на повторяющуюся давящую боль в груди и "
         "одышку в течение трёх месяцев."), 39),
    "blanks": ("x" + " " * 2_000 + "y", 18),
    "rules": ("-" * 2_000, 31),
    "one word": ("classification", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_count_is_never_raised(name):
    text, honest = HONEST[name]
    assert read_usage(chat(5, honest), text, None) == (5, 0, honest)
    half, thought = text[: len(text) // 2], text[len(text) // 2 :]
    assert read_usage(chat(5, honest), half, thought) == (5, 0, honest)


def test_the_honest_counts_of_the_recordings_are_never_raised():
    # The tokenizers of Qwen and Mistral make a token of at most 4.4 characters of a recording, and
    # of at most 5.2 characters of its indented JSON.
    for recording in read_recordings():
        honest = max(1, int(len(recording.content) / 5.2))
        assert read_usage(chat(5, honest), recording.content, None) == (5, 0, honest)


@pytest.mark.parametrize("where", ["content", "reasoning"])
def test_a_count_below_what_the_text_must_have_cost_is_replaced(where):
    texts = [*[r.content for r in read_recordings()][:20], HONEST["Chinese"][0]]
    for text in texts:
        said = (text, None) if where == "content" else ("hi", text)
        _, _, counted = read_usage(chat(5, 3), *said)
        assert counted >= len(text) / 4.5  # of English
        assert counted >= fewest_tokens(text)
        assert counted <= len(text) + 1
    assert read_usage(chat(5, 3), HONEST["Chinese"][0], None)[2] >= HONEST["Chinese"][1]


def test_bounds_lie_around_the_usual_count():
    for text, honest in HONEST.values():
        assert fewest_tokens(text) <= honest
        assert fewest_tokens(text) <= usual_tokens(text)
