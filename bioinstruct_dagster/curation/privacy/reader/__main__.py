"""Learns the reader's weights anew: `python -m bioinstruct_dagster.curation.privacy.reader`.

Belongs here: which texts are read, and writing the weights. Does not: learning (training).
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.curation.privacy.kinds import TEXT_LIMIT
from bioinstruct_dagster.curation.privacy.reader.notes import MarkedNote, read_marks
from bioinstruct_dagster.curation.privacy.reader.training import Fit, learned
from bioinstruct_dagster.curation.privacy.reader.weights import FILE
from bioinstruct_dagster.curation.privacy.reader.words import KnownWords
from bioinstruct_dagster.curation.word_lists import word_list
from bioinstruct_dagster.store.fingerprints import sha256_of

DATA = Path(__file__).parents[4] / "data"
NOTES = DATA / "identifier_notes.jsonl"
WRITTEN = Path(__file__).with_name(FILE)
_MEDICAL = (
    *("anatomy", "diseases", "symptoms", "care", "laboratory", "specialities", "dentistry"),
    *("mind", "biology", "research", "computing", "measures", "bench"),
)
_COMMON = ("shared", "elsewhere", "neutral", "near", "mistaken", "compounds")


def marked_notes(path: Path = NOTES) -> dict[str, list[MarkedNote]]:
    """The notes of each writer, whose name is the first part of a note's id."""
    found: dict[str, list[MarkedNote]] = {}
    for line in path.read_text("utf-8").splitlines():
        note = json.loads(line)
        found.setdefault(note["id"].split("-")[0], []).append(read_marks(note["text"]))
    return found


def plain_texts(data: Path = DATA) -> Iterator[str]:
    """The texts of the project that hold no identifier."""
    limit = f"\n{TEXT_LIMIT}\n"
    for name in ("seed_tasks", "general_examples"):
        for row in _rows(data / f"{name}.jsonl"):
            yield limit.join(row[field] for field in ("instruction", "input", "output"))
    for row in _rows(data / "recorded_completions.jsonl"):
        try:
            tasks = json.loads(row["content"])["tasks"]
        except (ValueError, KeyError, TypeError):
            continue  # a recorded fault
        for task in tasks:
            texts = [task.get(field) for field in ("instruction", "input", "output")]
            if all(isinstance(text, str) for text in texts):
                yield limit.join(texts)
    for row in _rows(data / "category_examples.jsonl"):
        yield row["instruction"]
    yield from filter(str.strip, (data / "rehearsal_corpus.txt").read_text("utf-8").splitlines())


def domain_words() -> KnownWords:
    """The words of the off-domain rule."""
    medical = frozenset[str]().union(*map(_domain, _MEDICAL))
    drugs = _domain("drugs")
    common = medical.union(*map(_domain, _COMMON))
    return KnownWords(
        frozenset(word for word in common if not word.endswith("*")),
        frozenset(word for word in medical if not word.endswith("*")),
        frozenset(word for word in drugs if not word.endswith("*")),
        tuple(sorted(word[:-1] for word in medical | drugs if word.endswith("*"))),
        tuple(sorted(_domain("endings"))),
    )


def examples() -> list[MarkedNote]:
    """All texts from which the reader learns: the notes of all writers, and texts without marks."""
    notes = [note for of_writer in marked_notes().values() for note in of_writer]
    return [*notes, *(MarkedNote(text, ()) for text in plain_texts())]


def made_of(texts: Sequence[MarkedNote]) -> str:
    """The hash of the texts, which the weights keep. A test holds that it is up to date."""
    return sha256_of([[text, [list(span[:3]) for span in spans]] for text, spans in texts])


def write(fit: Fit, known: KnownWords, learned_from: str, path: Path = WRITTEN) -> None:
    """Write what was learned, a feature a line, so that versions can be compared.

    Args:
        fit: what was learned.
        known: the words that were known.
        learned_from: the hash of the texts, as of `made_of`.
        path: the file.
    """
    words = {
        name: " ".join(sorted(listed) if isinstance(listed, frozenset) else listed)
        for name, listed in known._asdict().items()
    }
    lines = ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(weights, separators=(',', ':'))}"
        for name, weights in sorted(fit.weights.items())
    )
    head = json.dumps(
        {"made_of": learned_from, "kinds": fit.kinds, "bias": fit.bias, "words": words},
        ensure_ascii=False,
    )
    path.write_text(f'{head[:-1]},\n"weights": {{\n{lines}\n}}}}\n', "utf-8")


def _domain(name: str) -> frozenset[str]:
    return word_list("bioinstruct_dagster.curation.quality", "domain.yaml", name)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    return map(json.loads, path.read_text("utf-8").splitlines())


@quiet_on_closed_pipe
def main() -> int:
    """Learn from all notes and texts, write the weights, and return the exit status."""
    texts = examples()
    fit, known = learned(texts, domain_words())
    write(fit, known, made_of(texts))
    marked = sum(bool(one.spans) for one in texts)
    print(f"{WRITTEN}: {len(fit.weights)} features from {len(texts)} texts, {marked} with marks.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
