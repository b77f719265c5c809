"""The generation prompt: Self-Instruct's method and Alpaca's wording, for biomedical tasks.

BioInstruct did not publish its prompt, so this one is our own. If you change a word here, the
template's hash and every request change: the store keeps the old completions, but the next run
pays for new ones.

Belongs here: wording and response formats. Does not: which seeds (seed_draw) or controls
(controls.steering) a request shows.
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

SYSTEM_PROMPT = (
    "You are a clinician and biomedical researcher who writes training tasks for a language model."
)

# The requirements follow stanford_alpaca's prompt.txt (Apache-2.0) in substance. The last three are
# our own. They prevent faults of the published BioInstruct rows: placeholder inputs, markers such
# as "N/A", and inputs that only name a document.
USER_PROMPT = """\
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

PLAN_SECTION = """
Write the tasks to this plan, in this order:
{lines}
"""

ANSWER_FORMS: dict[ReplyFormat, str] = {
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
        """The request's `response_format`; None if the request has none."""
        return RESPONSE_FORMATS[self.reply_format]

    def messages(
        self, seeds: Sequence[SeedTask], count: int, control_lines: Sequence[str] = ()
    ) -> list[dict[str, str]]:
        """The messages of one request: the seeds as examples, and how many new tasks to write."""
        examples = (
            _numbered_examples(seeds) if self.reply_format == "text" else _json_examples(seeds)
        )
        plan = PLAN_SECTION.format(lines="\n".join(control_lines)) if control_lines else ""
        user = USER_PROMPT.format(
            count=count, plan=plan, answer=ANSWER_FORMS[self.reply_format], examples=examples
        )
        return [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": user}]


@cache
def template(reply_format: ReplyFormat = "json_schema", *, controlled: bool = False) -> Template:
    """The template of a reply format. Its hash covers all of its fixed text."""
    return Template(
        reply_format,
        controlled,
        sha256_of(
            [
                TEMPLATE_ID,
                SYSTEM_PROMPT,
                USER_PROMPT,
                PLAN_SECTION if controlled else "",
                ANSWER_FORMS[reply_format],
                RESPONSE_FORMATS[reply_format],
            ]
        ),
    )


def _json_examples(seeds: Sequence[SeedTask]) -> str:
    return json.dumps(
        {
            "tasks": [
                {"instruction": s.instruction, "input": s.input, "output": s.output} for s in seeds
            ]
        },
        ensure_ascii=False,
        indent=1,
    )


def _numbered_examples(seeds: Sequence[SeedTask]) -> str:
    # As stanford_alpaca's prompt.txt writes its examples.
    return "\n".join(
        f"###\n{number}. Instruction: {seed.instruction}\n{number}. Input:\n"
        f"{seed.input or '<noinput>'}\n{number}. Output:\n{seed.output}"
        for number, seed in enumerate(seeds, start=1)
    )
