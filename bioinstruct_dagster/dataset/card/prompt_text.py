"""The text of a prompt, by the hash that each completion stores.

Belongs here: finding the text. Does not: the prompts themselves (generation.series.prompts).
"""

from typing import get_args

from bioinstruct_dagster.generation.series.prompts import (
    ANSWER_FORMS,
    PLAN_SECTION,
    SYSTEM_PROMPT,
    USER_PROMPT,
    template,
)
from bioinstruct_dagster.teacher.requests import ReplyFormat


def text_of_prompt(sha256: str, reply_format: str) -> tuple[str, str] | None:
    """System and user message of the generation prompt with this hash, with their placeholders.

    Args:
        sha256: of the template, as in `completions`.
        reply_format: of the replies.

    Returns:
        The two texts; None if this version of the project has no prompt with this hash.
    """
    for known in get_args(ReplyFormat):
        for controlled in (False, True):
            if known != reply_format or template(known, controlled=controlled).sha256 != sha256:
                continue
            plan = PLAN_SECTION if controlled else ""
            user = USER_PROMPT.replace("{plan}", plan).replace("{answer}", ANSWER_FORMS[known])
            return SYSTEM_PROMPT, user
    return None
