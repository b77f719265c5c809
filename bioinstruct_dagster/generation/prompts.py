"""The generation prompt: Self-Instruct's idea in the wording of Alpaca's, for biomedical tasks.

BioInstruct did not publish its prompt; this is ours. Changing a word here changes the template's
hash and so every request: stored completions of the old template stay, and the new ones are asked
for anew.
"""

import json
from collections.abc import Sequence
from typing import Any

from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.store.provenance import sha256_of

TEMPLATE_ID = "biomedical-self-instruct/1"

SYSTEM = (
    "You are a clinician and biomedical researcher who writes training tasks for a language model. "
    "You answer with JSON only."
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

Examples:
{examples}"""

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

TEMPLATE_SHA256 = sha256_of([TEMPLATE_ID, SYSTEM, USER, RESPONSE_FORMAT])


def generation_messages(seeds: Sequence[SeedTask], count: int) -> list[dict[str, str]]:
    """The messages of one request: the seeds as examples, and how many new tasks to write."""
    examples = json.dumps(
        {
            "tasks": [
                {"instruction": s.instruction, "input": s.input, "output": s.output} for s in seeds
            ]
        },
        ensure_ascii=False,
        indent=1,
    )
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": USER.format(count=count, examples=examples)},
    ]
