"""Copies of the hub's data sets, at a pinned commit, in the evaluation folder.

A run never downloads. `python -m bioinstruct_dagster.eval_sets TASK...` does, once; after that, no
network is needed. Belongs here: where a copy lies, and getting it. Does not: the rows of a copy
(item_files), or which source a task uses (items).
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bioinstruct_dagster.eval_sets.item import EvaluationFileError
from bioinstruct_dagster.eval_sets.task import EvaluationTask, HubSource
from bioinstruct_dagster.input_files import shown

HUB_FOLDER = "hub"  # in the evaluation folder
# The readers of datasets that only parse rows. Others run decoders of pictures, sounds or archives.
_READERS = frozenset({"json", "csv", "parquet", "arrow"})


def hub_copy(task: EvaluationTask, folder: Path) -> Path | None:
    """The copy of a task's hub data set in the evaluation folder; None if there is none."""
    path = _place(task.source.hub, folder) if task.source.hub else None
    return path if path is not None and path.is_file() else None


def fetch_from_hub(task: EvaluationTask, folder: Path, *, mirror: Path | None = None) -> Path:
    """Download the split of a task's hub data set, if no copy of this commit is there.

    No code of a data set is run: datasets has no loading scripts any more, and a data set whose
    files are not tables of rows is refused.

    Args:
        task: with `hub` in its source.
        folder: the evaluation folder.
        mirror: a folder that holds data sets as `owner/name`, for machines without network. It has
            no commits, so whoever made it answers for the revision. None for the hub itself.

    Returns:
        the Parquet file of the copy.

    Raises:
        EvaluationFileError: the task names no data set of the hub, or it can't be had; the message
            says what to do.
    """
    hub = task.source.hub
    own = f"put the task's files into {shown(folder)} as {' or '.join(task.source.files)}"
    if hub is None:
        raise EvaluationFileError(
            f"Task {task.name} names no data set of the hub in {task.name}.yaml. Get the data from "
            f"its source, and {own}."
        )
    path = _place(hub, folder)
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent) as cache:
            part = Path(cache) / path.name
            _rows(hub, cache, mirror).to_parquet(str(part))
            part.replace(path)
    except Exception as error:  # datasets and its clients raise their own errors
        source = f"{mirror}/{hub.id}" if mirror else f"the hub's {hub.id} at {hub.revision[:12]}"
        detail = " ".join(f"{error} {error.__cause__ or ''}".split())[:300]
        raise EvaluationFileError(
            f"Task {task.name}: {source}, split {hub.split!r}, can't be had ({type(error).__name__}"
            f": {detail}). Check the network, HF_ENDPOINT and HF_HUB_OFFLINE; for a gated data "
            f"set, accept its terms on the hub and set HF_TOKEN. Or {own}."
        ) from error
    return path


def _place(hub: HubSource, folder: Path) -> Path:
    name = "-".join(filter(None, [hub.config, hub.split])).replace("/", "_")
    return folder / HUB_FOLDER / hub.id.replace("/", "--") / hub.revision / f"{name}.parquet"


def _rows(hub: HubSource, cache: str, mirror: Path | None) -> Any:
    from datasets import load_dataset_builder

    if mirror is None and Path(hub.id).exists():  # datasets would take it for the data set
        raise ValueError(f"a folder of this name is in {Path.cwd()}; start the command elsewhere")
    builder = load_dataset_builder(
        str(mirror / hub.id) if mirror else hub.id,
        hub.config,
        revision=None if mirror else hub.revision,
        cache_dir=cache,
    )
    module = type(builder).__module__
    if not module.startswith("datasets.packaged_modules") or module.split(".")[-1] not in _READERS:
        raise ValueError(f"its files need the reader {module}, not one of {sorted(_READERS)}")
    files = builder.config.data_files or {}
    if hub.split not in files:
        raise ValueError(f"its splits are {', '.join(map(str, files))}")
    builder.config.data_files = type(files)({hub.split: files[hub.split]})  # no other split
    builder.download_and_prepare(verification_mode="no_checks")  # its own list has all splits
    return builder.as_dataset(split=hub.split)
