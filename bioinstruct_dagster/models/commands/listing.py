"""The list of all adapters, also of those that no experiment names any more.

Belongs here: what is known of each folder without opening its weights. Does not: deleting one: that
is the user's choice.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bioinstruct_dagster.models.adapters import AdapterFolder, adapters_in, folder_name
from bioinstruct_dagster.models.current_dataset import present_fingerprint, why_of_older_data
from bioinstruct_dagster.models.experiments import ExperimentMatrix, read_experiments
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of

UNNAMED = "no experiment names it"


class ListedAdapter(NamedTuple):
    """A folder of an adapter and its state."""

    experiment: str
    state: str
    trained_at: str
    rows: int | None
    last_loss: float | None
    change: float | None  # of a logit, by the proof
    rehearsal: bool
    path: str

    def line(self) -> str:
        """The adapter in one line."""
        parts = [self.state, self.trained_at[:16]]
        if self.rows is not None:
            parts.append(f"{self.rows:,} rows")
        if self.last_loss is not None:
            parts.append(f"last loss {self.last_loss:.3f}")
        if self.change is not None:
            parts.append(f"changes a logit by {self.change:.2g}")
        if self.rehearsal:
            parts.append("rehearsal")
        return f"{self.experiment}: {', '.join(part for part in parts if part)}\n  {self.path}"


def listed_adapters(settings: Settings) -> list[ListedAdapter]:
    """All adapters in the folder of outputs, by experiment and then from the newest to the oldest.

    Raises:
        ExperimentFileError: the experiment file can't be read.
    """
    matrix = read_experiments(settings.models.experiments)
    folders = list(adapters_in(settings.store.data_dir / "adapters"))
    present = (
        present_fingerprint(Store(settings.store.path, settings.store.lock_timeout))
        if folders
        else None
    )
    return list(_listed(matrix, folders, present))


def _listed(
    matrix: ExperimentMatrix, folders: Iterable[AdapterFolder], present: str | None
) -> Iterator[ListedAdapter]:
    named = {folder_name(partition_key(one)): one for one in matrix.experiments()}
    seen: set[str] = set()
    for folder in folders:
        result = folder.result or {}
        experiment = named.get(folder.experiment)
        if experiment is None:
            state = UNNAMED
        elif folder.result is None:
            state = "not intact: a file is missing or was changed"
        elif folder.of_other:
            state = f"of another experiment: it was trained as {folder.of_other}, and moved here"
        elif result.get("recipe_sha256") != sha256_of(
            matrix.recipe(*experiment).model_dump(mode="json")
        ):
            state = "older: its recipe has other values now"
        elif folder.experiment in seen:
            state = "older: of other data, base model or run seed"
        else:
            older = why_of_older_data(result.get("dataset_fingerprint"), present)
            state = f"newest, but {older}" if older else "newest"
            seen.add(folder.experiment)
        proof = result.get("proof") or {}
        yield ListedAdapter(
            experiment=_name(partition_key(experiment) if experiment else folder.experiment),
            state=state,
            trained_at=str(result.get("trained_at", "")),
            rows=result.get("train_rows"),
            last_loss=result.get("last_loss"),
            change=proof.get("change"),
            rehearsal=bool(result.get("rehearsal")),
            path=str(folder.path),
        )


def _name(name: str) -> str:
    """The name of an experiment, also of one that only its folder names."""
    # The folder's name joins base model and recipe by two underscores, which a name may hold too.
    return name.replace("__", "|") if "|" not in name and name.count("__") == 1 else name
