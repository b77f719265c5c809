"""The novelty rule `exact`: a row repeats another if instruction and input are equal.

Both texts are normalised first: Unicode NFKC, letter case, white space, and punctuation at the
beginning and the end. Rows with different inputs are different rows. If two rows have the same
instruction and input but different outputs, the second is a repeat too, and its verdict says so.

Belongs here: the normalised form, and the rule. Does not: the rule of Self-Instruct (rule), or the
verdicts in a store (gate).
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from bioinstruct_dagster.curation.novelty.rule import NamedInstruction, NoveltyVerdict

# Signs around a text that change nothing in its meaning. Signs such as +, %, < and # are not here.
_QUOTES_AND_BRACKETS = "\"'`´“”„‟‘’‚«»‹›()[]{}「」『』【】《》〈〉〔〕"
_ENDS = ".,;:!?¿¡·。、،؛؟।॥։።།។"
# A point or comma before a text may begin a decimal fraction: ".5 mg" is not "5 mg".
_BEFORE = _QUOTES_AND_BRACKETS + _ENDS.replace(".", "").replace(",", "") + " "
_AFTER = _QUOTES_AND_BRACKETS + _ENDS + " "
# A dash before a digit is a minus, so a bullet needs a space after it.
_BULLET = re.compile(r"[-*•–—] ")
_DIGEST_BYTES = 16


class ExactFilter:
    """The rule over a growing set; candidates come in their order, in portions of any size.

    It holds a digest of each kept row, not its text.

    Args:
        seeds: kept from the start.
    """

    def __init__(self, seeds: Sequence[NamedInstruction]) -> None:
        self._kept: dict[bytes, tuple[str, bytes]] = {}
        for seed in seeds:
            self._kept.setdefault(_task_digest(seed), (seed.id, _output_digest(seed)))

    def check(self, candidates: Sequence[NamedInstruction]) -> list[NoveltyVerdict]:
        """Check candidates in their order; later ones are compared with each novel one too."""
        return [self._check(candidate) for candidate in candidates]

    def _check(self, candidate: NamedInstruction) -> NoveltyVerdict:
        task, output = _task_digest(candidate), _output_digest(candidate)
        nearest, its_output = self._kept.setdefault(task, (candidate.id, output))
        novel = nearest == candidate.id
        return NoveltyVerdict(
            candidate.id,
            novel,
            None if novel else nearest,
            None if novel else 1.0,
            "exact",
            None if novel else its_output != output,
        )


def normalised(text: str) -> str:
    """The form in which two texts are compared."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    plain = " ".join(text.casefold().split())
    found = _BULLET.sub("", plain, count=1) if _BULLET.match(plain) else plain
    # A text of such signs alone, as "?", stays as it is.
    return found.lstrip(_BEFORE).rstrip(_AFTER) or plain


def _task_digest(row: NamedInstruction) -> bytes:
    return _digest(f"{normalised(row.instruction)}\x1f{normalised(row.input)}")


def _output_digest(row: NamedInstruction) -> bytes:
    # Not normalised: outputs are long, and a verdict only mentions whether they differ.
    return _digest(row.output.strip())


def _digest(text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
