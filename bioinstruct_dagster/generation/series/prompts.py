"""The generation prompt: Self-Instruct's idea in the wording of Alpaca's, for biomedical tasks.

BioInstruct did not publish its prompt; this is ours. Changing a word here changes the template's
hash and so every request: stored completions of the old template stay, and the new ones are asked
for anew. Belongs here: wording and response formats. Does not: which seeds or controls a request
shows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.requests import ReplyFormat

TEMPLATE_ID = "biomedical-self-instruct/2"

SYSTEM = (
    "You are a clinician and biomedical researcher who writes training tasks for a language model."
)

# The requirements follow stanford_alpaca's prompt.txt (Apache-2.0) in substance; the last three are
# ours, against faults that the published BioInstruct rows show: placeholder inputs, markers such as
# "N/A", and inputs that only name a document.
USER = """\
Write {count} new biomedical or clinical tasks that differ from the examples and from each other.

Requirements:
1. Vary the verb, the form (question or order) and the kind of task: classification, extraction, \
question answering, calculation, summarization, explanation, rewriting, dialogue, ranking and \
others.
2. A language model must be able to do the task from the text alone: no images, files, audio or \
web pages.
3. The instruction is one or two sentences in English.
4. The input is realistic, specific and self-contained, ideally no longer than 100 words, with no \
real person in it. It must hold everything that the task needs; it never merely names a record, an \
article or a web page.
5. Where a task needs no input, the input is the empty string, not a marker such as "N/A".
6. The output is correct, complete and ideally no longer than 100 words.
{plan}
{answer}

Examples:
{examples}"""

PLAN = """
Write the tasks to this plan, in this order:
{lines}
"""

ANSWER: dict[ReplyFormat, str] = {
    "json_schema": "Answer with JSON only.",
    "json_object": (
        'Answer with JSON only: one object {"tasks": [...]}, each task an object with the three '
        'texts "instruction", "input" and "output", as in the examples.'
    ),
    "text": (
        "Answer as numbered text, in the form of the examples and with nothing else: a line ###, "
        "then the three parts. Where a task needs no input, write <noinput> in place of the empty "
        "string."
    ),
}

RESPONSE_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "biomedical_tasks",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "tasks": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "instruction": {"type": "string"},
                            "input": {"type": "string"},
                            "output": {"type": "string"},
                        },
                        "required": ["instruction", "input", "output"],
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["tasks"],
            "additionalProperties": False,
        },
    },
}
RESPONSE_FORMATS: dict[ReplyFormat, dict[str, Any] | None] = {
    "json_schema": RESPONSE_FORMAT,
    "json_object": {"type": "json_object"},
    "text": None,
}


@dataclass(frozen=True)
class Template:
    """The prompt for one reply format, with or without a plan of controls."""

    reply_format: ReplyFormat
    controlled: bool
    sha256: str

    @property
    def response_format(self) -> dict[str, Any] | None:
        """The API's `response_format`; None asks for none."""
        return RESPONSE_FORMATS[self.reply_format]

    def messages(
        self, seeds: Sequence[SeedTask], count: int, control_lines: Sequence[str] = ()
    ) -> list[dict[str, str]]:
        """The messages of one request: the seeds as examples, and how many new tasks to write."""
        examples = _as_text(seeds) if self.reply_format == "text" else _as_json(seeds)
        plan = PLAN.format(lines="\n".join(control_lines)) if control_lines else ""
        user = USER.format(
            count=count, plan=plan, answer=ANSWER[self.reply_format], examples=examples
        )
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]


@cache
def template(reply_format: ReplyFormat = "json_schema", *, controlled: bool = False) -> Template:
    """The template of a reply format; its hash covers all its fixed text."""
    return Template(
        reply_format,
        controlled,
        sha256_of(
            [
                TEMPLATE_ID,
                SYSTEM,
                USER,
                PLAN if controlled else "",
                ANSWER[reply_format],
                RESPONSE_FORMATS[reply_format],
            ]
        ),
    )


def _as_json(seeds: Sequence[SeedTask]) -> str:
    return json.dumps(
        {
            "tasks": [
                {"instruction": s.instruction, "input": s.input, "output": s.output} for s in seeds
            ]
        },
        ensure_ascii=False,
        indent=1,
    )


def _as_text(seeds: Sequence[SeedTask]) -> str:
    # The form of stanford_alpaca's prompt.txt.
    return "\n".join(
        f"###\n{number}. Instruction: {seed.instruction}\n{number}. Input:\n"
        f"{seed.input or '<noinput>'}\n{number}. Output:\n{seed.output}"
        for number, seed in enumerate(seeds, start=1)
    )
