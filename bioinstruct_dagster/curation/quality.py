"""Quality: the Self-Instruct and Alpaca filters, and inputs that are no inputs.

Belongs here: what one row alone shows. Does not: likeness to other rows (novelty).
"""

import re
from dataclasses import dataclass

# Self-Instruct and stanford_alpaca, post_process_gpt3_response; every one of 2,501 published
# BioInstruct rows passes these.
FEWEST_WORDS = 4
MOST_WORDS = 150
BLACKLIST = (
    "image", "images", "graph", "graphs", "picture", "pictures", "file", "files", "map", "maps",
    "draw", "plot", "go to", "video", "audio", "music", "flowchart", "diagram",
)  # fmt: skip
_BLACKLISTED = re.compile(rf"\b({'|'.join(BLACKLIST)})\b", re.IGNORECASE)

# What teachers write for "no input"; 5.8 % of the published BioInstruct rows carry such a marker.
_NO_INPUT = re.compile(
    r"[\s(<\[\"'*-]*"
    r"(n\s*/?\s*a|none|null|nil|empty|blank|not applicable"
    r"|no ?input( (is )?(required|needed|necessary|given|provided))?"
    r"|none (is )?(required|needed|necessary|given|provided))?"
    r"[\s)>\]\"'*.-]*",
    re.IGNORECASE,
)
_URL_ONLY = re.compile(r"\s*<?\b(https?://|www\.)\S+\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """Why a row is rejected: the rule's name, and what it saw."""

    reason: str
    detail: str


def normalized_input(text: str) -> str:
    """The input, or the empty string where it only says that there is none."""
    return "" if _NO_INPUT.fullmatch(text) else text


# A list of rules, each of which returns what it rejects.
def find_fault(instruction: str, task_input: str, output: str) -> Fault | None:  # noqa: PLR0911
    """The first rule that rejects the row, or None. `task_input` is expected normalised."""
    words = len(instruction.split())
    if words < FEWEST_WORDS:
        return Fault("instruction_too_short", f"{words} words, fewest {FEWEST_WORDS}")
    if words > MOST_WORDS:
        return Fault("instruction_too_long", f"{words} words, most {MOST_WORDS}")
    if listed := _BLACKLISTED.search(instruction):
        return Fault(
            "beyond_text", f"{listed.group(0)!r} asks for what a language model can't read or make"
        )
    if instruction.startswith("Write a program"):
        return Fault("writes_program", "Self-Instruct drops these: the output is code, not text")
    if not (instruction[0].isascii() and instruction[0].isalnum()):
        return Fault("odd_first_character", f"starts with {instruction[0]!r}")
    if not output or _NO_INPUT.fullmatch(output):
        return Fault("empty_output", f"output is {output!r}")
    if _URL_ONLY.fullmatch(task_input):
        return Fault("ungrounded_input", "the input is a bare URL, so the answer must be invented")
    return None
