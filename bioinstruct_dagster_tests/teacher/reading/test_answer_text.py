"""The answer in a reply, in the forms that published chat templates and servers give it.

Most forms are those of issues of vllm, ollama, sglang, llama.cpp and others about models that
reason: DeepSeek-R1, QwQ, Qwen3, Magistral, Kimi, Seed-OSS, gpt-oss, Gemma and Command A.
"""

import json
import random
import sys

import pytest

from bioinstruct_dagster.teacher.reading.answer_text import (
    ANSWER_COLUMNS,
    AnswerText,
    answer_from,
    answer_of,
    ends_at_limit,
)

DRAFT = '{"tasks": [{"instruction": "Draft.", "input": "", "output": "x"}]}'
# Its texts name the very tokens.
ANSWER = json.dumps(
    {
        "tasks": [
            {"instruction": "What does <think> mark?", "input": "", "output": "</think> ends it."},
            {"instruction": "Name the tokens.", "input": "</s>", "output": "<|im_end|>\n[/INST]"},
        ]
    }
)
NUMBERED = "1. Instruction: Name it.\n1. Input:\n<noinput>\n1. Output:\nGout, p < 0.05"
PROMPT = (
    f"Write 5 new biomedical or clinical tasks.\n\nRequirements:\n1. Vary.\n\nExamples:\n{DRAFT}"
)

REASONED = {
    "deepseek": "<think>\nOkay. {draft}\n</think>\n\n{answer}",
    "deepseek, opened by the template": "Okay, so... {draft}\nDone.\n</think>\n\n{answer}",
    "qwen without thoughts": "<think>\n\n</think>\n\n{answer}",
    "several": "<think>{draft}</think>\n<think>{draft} again</think>{answer}",
    "nested": "<think>a <think> {draft}</think> b {draft} </think>\n{answer}",
    "in another case, with attributes": '<THINK effort="high">{draft}</Think>{answer}',
    "thinking": "<thinking>{draft}</thinking>\n{answer}",
    "mixed names": "<thinking>{draft}</think>\n{answer}",
    "reasoning": "<reasoning>\n{draft}\n</reasoning>\n{answer}",
    "thought": "<thought>{draft}</thought>{answer}",
    "a tag with a colon": "<seed:think>{draft}</seed:think>{answer}",
    "minimax": "<mm:think>{draft}</mm:think>{answer}",
    "magistral": "[THINK]{draft}[/THINK]{answer}",
    "magistral, opened by the template": "{draft}[/THINK]{answer}",
    "kimi": "◁think▷{draft}◁/think▷{answer}",
    "open thinker": "<|begin_of_thought|>{draft}<|end_of_thought|>\n\n<|begin_of_solution|>{answer}"
    "<|end_of_solution|>",
    "command a": "<|START_THINKING|>{draft}<|END_THINKING|><|START_RESPONSE|>{answer}"
    "<|END_RESPONSE|><|END_OF_TURN_TOKEN|>",
    "gemma": "<|channel>thought\n{draft}\n<channel|>{answer}<turn|>",
    "harmony": "<|channel|>analysis<|message|>{draft}<|end|><|start|>assistant"
    "<|channel|>final<|message|>{answer}<|return|>",
    "harmony with a format": "<|channel|>analysis<|message|>{draft}<|end|><|start|>assistant"
    "<|channel|>final <|constrain|>json<|message|>{answer}",
    "harmony with commentary": "<|channel|>commentary to=functions.x<|message|>{draft}<|call|>"
    "<|start|>assistant<|channel|>analysis<|message|>{draft}<|end|>"
    "<|start|>assistant<|channel|>final<|message|>{answer}",
    "harmony without its first token": "analysis<|message|>{draft}<|end|><|start|>assistant"
    "<|channel|>final<|message|>{answer}",
    "harmony without its tokens": "analysisWe need JSON. {draft}assistantfinal{answer}",
    "chatml": "<|im_start|>assistant\n<think>{draft}</think>{answer}<|im_end|>",
    "ollama's terminal": "Thinking...\n{draft}\n...done thinking.\n\n{answer}",
    "granite, in words": "Here is my thought process: {draft} Here is my response: {answer}",
    "open webui": '<details type="reasoning" done="true">\n{draft}\n</details>\n{answer}',
    "glm": "<think>{draft}</think>\n<|begin_of_box|>{answer}<|end_of_box|>",
    "an answer's tag": "<think>{draft}</think><answer>\n{answer}\n</answer>",
    "an answer's tag ends the thoughts": "<think>{draft}\n<answer>{answer}</answer>",
    "words before an answer's tag": "Two tasks are due.\n<answer>{answer}</answer>",
    "a named tag in the thoughts": "<think>No `</think>` yet. {draft}</think>{answer}",
}
TOKENS = {
    "chatml's end": "{answer}<|im_end|>",
    "chatml, twice": "{answer}<|im_end|>\n<|im_end|>",
    "chatml with its role": "<|im_start|>assistant\n{answer}<|im_end|>\n",
    "llama": "<|start_header_id|>assistant<|end_header_id|>\n\n{answer}<|eot_id|>",
    "llama 2": " {answer} </s>",
    "mistral": "<s>{answer}</s>",
    "gemma 3": "{answer}<end_of_turn>\n<end_of_turn>",
    "zephyr": "<|assistant|>\n{answer}<|endoftext|>",
    "deepseek's tokens": "<｜Assistant｜>{answer}<｜end▁of▁sentence｜>",
    "phi": "<|im_start|>assistant<|im_sep|>{answer}<|end|>",
    "granite": "<|start_of_role|>assistant<|end_of_role|>{answer}<|end_of_text|>",
    "an end of the instruction": "{answer} [/INST]",
    "a tag too many": "{answer}\n</think>",
    "an introduction of its own": "Sure.<|im_end|><|im_start|>assistant\n{answer}<|im_end|>",
    "a byte-order mark": "\ufeff{answer}\u200b",
    "an invented turn": "{answer}<|im_end|>\n<|im_start|>user\nMore<|im_end|>\n"
    "<|im_start|>assistant\n{draft}<|im_end|>",
    "an invented turn of llama": "{answer}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
    "More<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{draft}",
    "an invented turn of mistral": "{answer}</s>[INST] More [/INST] {draft}</s>",
    "an invented turn of glm": "{answer}<|user|>\nMore<|assistant|>\n{draft}",
    "a text after the end": "{answer}<|endoftext|>{draft}",
}
ECHOES = {
    "the message": "{prompt}{answer}",
    "the message, other blanks": "{prompt_in_line}\n{answer}",
    "the chat without tokens": "system\nYou are a clinician.\nuser\n{prompt}\nassistant\n{answer}",
    "the chat in words": "User: {prompt}\n\nAssistant: {answer}",
    "alpaca": "### Instruction:\n{prompt}\n\n### Response:\n{answer}",
    "chatml": "<|im_start|>system\nYou are.<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n"
    "<|im_start|>assistant\n{answer}<|im_end|>",
    "mistral": "<s>[INST] {prompt} [/INST] {answer}</s>",
    "mistral without a start": "{prompt} [/INST] {answer}",
    "with reasoning": "{prompt}\n<think>{draft}</think>{answer}",
}


def filled(form: str, answer: str = ANSWER) -> str:
    parts = {"draft": DRAFT, "prompt": PROMPT, "prompt_in_line": " ".join(PROMPT.split())}
    for name, text in (*parts.items(), ("answer", answer)):
        form = form.replace(f"{{{name}}}", text)
    return form


@pytest.mark.parametrize("answer", [ANSWER, NUMBERED, f"```json\n{ANSWER}\n```"], ids=range(3))
@pytest.mark.parametrize("name", [*REASONED, *TOKENS])
def test_the_answer_is_told_from_all_that_is_not_the_answer(name, answer):
    found = answer_from(filled({**REASONED, **TOKENS}[name], answer), finish_reason="stop")
    assert found.text.strip() == answer
    assert (found.cut_in_reasoning, found.from_reasoning) == (False, False)
    assert ("Draft." in found.reasoning) == ("{draft}" in REASONED.get(name, ""))


def test_a_dialogue_in_words_after_json_is_invented():
    content = filled("{answer}\n\nHuman: More, please.\n\nAssistant: {draft}")
    assert answer_from(content, finish_reason="stop").text.strip() == ANSWER


@pytest.mark.parametrize("name", ECHOES)
def test_an_echo_of_the_prompt_is_taken_off(name):
    content = filled(ECHOES[name])
    assert answer_from(content, finish_reason="stop", prompt=PROMPT).text.strip() == ANSWER


@pytest.mark.parametrize(
    "content",
    [
        ANSWER,
        NUMBERED,
        "",
        "I can't do that.",
        json.dumps({"output": "<think>"}),
        json.dumps(["<|im_start|>user\nHi<|im_end|>", "[/INST]", "Human:"]),
        f"{ANSWER}\nSources: [1]",
        f"```json\n{ANSWER}\n```",
        "1. Instruction: What is `</think>`?\n1. Input:\n1. Output: It ends the <think> block.",
        "1. Instruction: Mark it up.\n1. Input:\n1. Output:\n<answer>Yes</answer>",
        "1. Instruction: Mark it up.\n1. Input: <draft>x</draft>\n1. Output:\n<s>old</s> new",
        "1. Instruction: Continue.\n1. Input:\nUser: Hi\nHuman: Hi\n1. Output:\nHi",
        '{"tasks": [{"instruction": "Explain <think',
        "analysis of variance: [1]",
    ],
)
@pytest.mark.parametrize("finish_reason", ["stop", "length"])
def test_a_usual_reply_is_its_answer_unchanged(content, finish_reason):
    answer = answer_from(content, finish_reason=finish_reason, prompt=PROMPT)
    assert answer == AnswerText(content, cut_in_reasoning=not content and finish_reason == "length")


def test_a_prompt_that_a_reply_only_quotes_is_no_echo():
    for content in (f"You asked: {PROMPT[:60]}...\n{ANSWER}", f"{ANSWER}\n{' ' * 500}{PROMPT}"):
        assert answer_from(content, finish_reason="stop", prompt=PROMPT).text == content


OPENED = [
    "<think>\nOkay. {draft}", "<think>{draft}", "[THINK]{draft}", "◁think▷{draft}",
    "<|channel|>analysis<|message|>{draft}", "analysisWe need {draft}", "<reasoning>{draft}",
    "<|channel>thought\n{draft}", "<think>a <reasoning>b</reasoning> {draft}",
    "Thinking...\n{draft}", "Here is my thought process: {draft}",
    "Okay, so the user wants five tasks. {draft}", "We need to write tasks. {draft}",
]  # fmt: skip


@pytest.mark.parametrize("form", OPENED)
def test_a_reply_cut_inside_its_reasoning_has_no_answer(form):
    answer = answer_from(filled(form), finish_reason="length")
    assert (answer.text, answer.cut_in_reasoning, answer.from_reasoning) == ("", True, False)
    assert "Draft." in answer.reasoning


@pytest.mark.parametrize("form", OPENED[:11])
def test_reasoning_that_never_ends_is_no_answer_either(form):
    answer = answer_from(filled(form), finish_reason="stop")
    assert (answer.text, answer.cut_in_reasoning, answer.from_reasoning) == ("", False, False)


def test_an_answer_before_a_cut_thought_is_kept():
    answer = answer_from(f"{ANSWER}\n<think>{DRAFT}", finish_reason="length")
    assert (answer.text.strip(), answer.cut_in_reasoning) == (ANSWER, False)


def test_an_answer_that_the_server_took_for_reasoning_is_found():
    assert answer_from("", ANSWER, "stop") == AnswerText(ANSWER, ANSWER, from_reasoning=True)
    after = answer_from("\n", f"Hm. {DRAFT}\n</think>\n\n{ANSWER}", "stop")
    assert (after.text.strip(), after.from_reasoning) == (ANSWER, True)
    cut = answer_from("", ANSWER, "length")
    assert (cut.text, cut.cut_in_reasoning) == ("", True)
    assert answer_from(ANSWER, DRAFT, "stop") == AnswerText(ANSWER, DRAFT)
    assert answer_from("", None, "stop") == AnswerText("")


def test_a_reply_that_is_one_json_string_is_decoded():
    assert answer_from(json.dumps(ANSWER), finish_reason="stop").text == ANSWER
    for content in ('"text"', '"{', '"{\\x"', '"{"a"'):
        assert answer_from(content, finish_reason="stop").text == content


@pytest.mark.parametrize(
    ("reason", "cut"),
    [
        ("length", True),
        ("MAX_TOKENS", True),
        ("model_length", True),
        ("stop", False),
        (None, False),
    ],
)
def test_the_words_of_servers_for_a_cut_are_known(reason, cut):
    assert ends_at_limit(reason) is cut


def test_a_stored_completion_is_read_as_on_arrival(store):
    store.replace({"seed_tasks": []})
    contents = {
        "echo": filled(ECHOES["chatml"]),
        "usual": ANSWER,
        "other": f"{PROMPT[:40]} {ANSWER}",
    }
    completion = {
        "purpose": "generation", "teacher": "t", "rehearsal": False, "model_asked": "m",
        "parameters": "{}", "reply_format": "text", "template_id": "t", "template_sha256": "t",
        "draw": 0, "seed_ids": [], "service": "online", "requested_at": "2026-01-01",
        "completed_at": "2026-01-01", "finish_reason": "stop", "refusal": None, "reasoning": "Hm.",
    }  # fmt: skip
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": PROMPT}]
    with store.write() as connection:
        for name, content in contents.items():
            values = {
                **completion, "completion_id": name, "content": content,
                "messages": json.dumps(messages),
            }  # fmt: skip
            connection.execute(
                f"insert into completions ({', '.join(values)}) "
                f"values ({', '.join('?' * len(values))})",
                list(values.values()),
            )
    rows = store.rows(
        f"select completion_id, content, finish_reason, {ANSWER_COLUMNS} from completions"
    )
    assert len(rows) == 3
    for row in rows:
        arrived = {**completion, "content": contents[row["completion_id"]], "messages": messages}
        assert answer_of(row) == answer_of(arrived)
    stored = {row["completion_id"]: answer_of(row) for row in rows}
    assert stored["echo"].text.strip() == stored["usual"].text == ANSWER
    assert {row["completion_id"]: row["echoed"] is None for row in rows} == {
        "echo": False, "usual": True, "other": False,
    }  # fmt: skip


PARTS = [
    "<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>analysis<|message|>", "<|end|>",
    "<|channel|>final<|message|>", "<|start|>assistant", "<|im_start|>user\n", "<|im_end|>", "</s>",
    "<s>", "[INST]", "[/INST]", "<answer>", "</answer>", "<reasoning>", "</reasoning>", '{"a": 1}',
    '{"a": "', '"', "\\", "[", "{", "Human: ", "\n", "text", "a <think> b", PROMPT,
    "\ufeff", "\ud800",
]  # fmt: skip


def test_any_text_is_read_without_an_error_and_nothing_is_invented():
    drawn = random.Random(7)
    answers = 0
    for _ in range(8_000):
        content = "".join(drawn.choices(PARTS, k=drawn.randrange(12)))
        apart = drawn.choice([None, "", "Hm.", content])
        finish = drawn.choice(["stop", "length", None])
        answer = answer_from(content, apart, finish, prompt=drawn.choice([None, PROMPT]))
        answers += bool(answer.text)
        left = "".join(answer.text.split())
        source = apart if answer.from_reasoning else content
        letters = iter("".join(source.split()))
        assert all(letter in letters for letter in left)  # its letters, in their order
        assert not (answer.cut_in_reasoning and (answer.text or finish != "length"))
    assert answers > 2_000


def calls_of(content: str) -> int:
    """How many function calls it takes to find an answer: a measure of work without a clock."""
    count = 0

    def tally(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        answer_from(content, None, "stop", prompt=PROMPT)
    finally:
        sys.setprofile(before)
    return count


GROWING = [
    *PARTS, "<", "</", "<|", "[/", "<think></think>", "x</think>", "x </s> y", "<s> x ", "<think",
    "<|im_start|>", "<|im_start|>assistant\nx", "<|channel|>", "<think a='", '{"a": ', "[[",
    "`</s>`", "[/INST]{", "<reasoning></think>", "a<|im_start|>user a", "\n### Human",
    "</think>{", "x<think></s>", "<think><answer>", "<think><answer></think>", "`<answer>`",
]  # fmt: skip


@pytest.mark.parametrize("part", GROWING)
@pytest.mark.parametrize("before", ["", "<think>", '{"a": 1}', "1. Instruction: "])
def test_twice_the_reply_is_at_most_twice_the_work(part, before):
    once, twice = (calls_of(before + part * n) for n in (500, 1_000))
    assert twice <= 2 * once + 100


def test_a_usual_reply_takes_the_short_way():
    content = json.dumps(
        {"tasks": [{"instruction": "List [it].", "input": "", "output": "x"}] * 500}
    )
    assert calls_of(content) < 50
