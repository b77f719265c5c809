"""The commands in the pages: fenced blocks of `sh` and `bash`, cut into single commands.

Belongs here: reading pages and cutting blocks. Does not: whether a command works
(test_doc_commands), or names in pages (references).
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bioinstruct_dagster.settings import PROJECT_ROOT

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE
)
_HEREDOC = re.compile(r"<<'(\w+)'$")
_ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
_CONTINUED = "\\"
_JOINTS = {"&&", "||", ";", "|", "&"}


@dataclass(frozen=True)
class Command:
    """A command as a shell would start it.

    Attributes:
        page: path from the project's root.
        line: of the page, where the command begins.
        words: program and arguments, without comments.
        environment: variables that the block has set so far, and those before the program.
        heredoc: what the command reads from the lines below it.
    """

    page: str
    line: int
    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    heredoc: str = ""

    @property
    def place(self) -> str:
        """The place and the first words, as a test's name."""
        return f"{self.page}:{self.line}:{' '.join(self.words)[:60]}"


def pages() -> list[Path]:
    """The pages that a user reads."""
    folders = (PROJECT_ROOT / "docs", PROJECT_ROOT / "deploy")
    found = sorted(path for folder in folders for path in folder.rglob("*.md"))
    return [PROJECT_ROOT / "README.md", PROJECT_ROOT / "CONTRIBUTING.md", *found]


def blocks(text: str, *languages: str) -> Iterator[tuple[int, str]]:
    """The fenced blocks in these languages: the line at which each begins, and its text."""
    for found in _FENCE.finditer(text):
        if found["language"] in languages:
            indent = len(found["indent"])
            lines = [line[indent:] for line in found["text"].splitlines()]
            yield text.count("\n", 0, found.start("text")) + 1, "\n".join(lines) + "\n"


def commands(path: Path) -> list[Command]:
    """All commands of a page."""
    page = path.relative_to(PROJECT_ROOT).as_posix()
    return [
        command
        for line, block in blocks(path.read_text("utf-8"), "sh", "bash")
        for command in cut(block, page, line)
    ]


def cut(block: str, page: str, first_line: int) -> Iterator[Command]:
    """Cut a block into commands. Variables that are set behind the last one make one of their own.

    Raises:
        ValueError: a quotation mark is not closed.
    """
    exported: dict[str, str] = {}
    unused = False  # variables that no command of the block gets
    lines = iter(enumerate(block.splitlines(), first_line))
    for number, line in lines:
        whole = line
        while (bare := _without_comments(whole)) is None or bare.endswith("\\"):
            more = next(lines, None)
            if more is None:
                raise ValueError(f"{page}:{number}: a quotation or a command is not closed")
            whole = f"{whole.removesuffix(_CONTINUED)}\n{more[1]}"
        tokens = _tokens(bare)
        heredoc = ""
        if opened := _HEREDOC.search(bare):
            body = []
            for _, text in lines:
                if text == opened[1]:
                    break
                body.append(text)
            heredoc = "\n".join(body) + "\n"
            tokens = tokens[:-1]
        for words in _split(tokens):
            environment, rest = _environment(words)
            if rest:
                yield Command(page, number, tuple(rest), {**exported, **environment}, heredoc)
                unused = False
            else:
                exported |= environment
                unused = True
    if unused:
        yield Command(page, first_line, ("export",), exported)


def _without_comments(text: str) -> str | None:
    """The text without comments; None if a quotation is open at its end."""
    kept: list[str] = []
    quote, in_comment = "", False
    for before, character in zip(f" {text}", text, strict=False):
        if character == "\n":
            in_comment = False
        elif quote:
            quote = "" if character == quote else quote
        elif not in_comment and character in "'\"":
            quote = character
        elif character == "#" and before.isspace():
            in_comment = True
        if not in_comment:
            kept.append(character)
    return None if quote else "".join(kept).rstrip(" ")


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split, lexer.commenters = True, ""
    return list(lexer)


def _split(tokens: list[str]) -> Iterator[list[str]]:
    words: list[str] = []
    for token in [*tokens, ";"]:
        if token in _JOINTS:
            if words:
                yield words
            words = []
        else:
            words.append(token)


def _environment(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Variables that stand before a program, or after `export`; and the rest."""
    rest = words[1:] if words[0] == "export" else words
    environment = {}
    while rest and (found := _ASSIGNMENT.fullmatch(rest[0])):
        environment[found[1]] = found[2]
        rest = rest[1:]
    return environment, rest
