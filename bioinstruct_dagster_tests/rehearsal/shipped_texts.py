"""All task texts that ship: the seeds, the whole tasks of the recordings, and the corpus."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bioinstruct_dagster.rehearsal.base_model import CORPUS
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS


@dataclass(frozen=True)
class ShippedTask:
    """A task with its name: `seed-007`, or `016.3` for the third task of recording 016."""

    name: str
    category: str
    instruction: str
    input: str
    output: str

    @property
    def is_seed(self) -> bool:
        return self.name.startswith("seed-")

    @property
    def text(self) -> str:
        return f"{self.instruction}\n{self.input}\n{self.output}"


@cache
def shipped_tasks() -> tuple[ShippedTask, ...]:
    """The seeds, then the recorded tasks that can be read."""
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    return (
        *(ShippedTask(s.id, s.category, s.instruction, s.input, s.output) for s in seeds),
        *_recorded(),
    )


def _recorded() -> Iterator[ShippedTask]:
    for recording in read_recordings():
        number = recording.id.removeprefix("recording-")
        tasks = zip(recording.tasks(), recording.categories, strict=True)
        for position, ((task, _), category) in enumerate(tasks, start=1):
            if task:
                yield ShippedTask(f"{number}.{position}", category, **task)


def task(name: str) -> ShippedTask:
    """The task of that name."""
    return next(one for one in shipped_tasks() if one.name == name)


def paragraphs() -> list[str]:
    """The paragraphs of the corpus."""
    return [part for part in CORPUS.read_text("utf-8").split("\n\n") if part.strip()]
