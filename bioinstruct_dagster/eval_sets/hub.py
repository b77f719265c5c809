"""Copies of the hub's data sets, at a pinned commit, in the evaluation folder.

A run never downloads. `python -m bioinstruct_dagster.eval_sets TASK...` does, once; after that, no
network is needed. Belongs here: where a copy lies, and getting it. Does not: the rows of a copy
(item_files), or which source a task uses (items).
"""

from pathlib import Path

from bioinstruct_dagster.eval_sets.item import EvaluationFileError
from bioinstruct_dagster.eval_sets.task import EvaluationTask, HubSource
from bioinstruct_dagster.input_files import shown

HUB_FOLDER = "hub"  # in the evaluation folder


def hub_copy(task: EvaluationTask, folder: Path) -> Path | None:
    """The copy of a task's hub data set in the evaluation folder; None if there is none."""
    path = _place(task, folder)
    return path if path is not None and path.is_file() else None


def fetch_from_hub(task: EvaluationTask, folder: Path, *, server: str | None = None) -> Path:
    """Download the split of a task's hub data set, if no copy of this commit is there.

    No code of a data set is run (`trust_remote_code` is never given), so a data set that needs a
    loading script is refused.

    Args:
        task: with `hub` in its source.
        folder: the evaluation folder.
        server: a folder with data sets as `owner/name/`, or None for the hub itself. A folder has
            no commits, so the copy is what lies there.

    Returns:
        the Parquet file of the copy.

    Raises:
        EvaluationFileError: the task names no data set of the hub, or it can't be had; the message
            says what to do.
    """
    hub, path = task.source.hub, _place(task, folder)
    if hub is None or path is None:
        raise EvaluationFileError(
            f"Task {task.name} names no data set of the hub. Put its files into {shown(folder)} as "
            f"{' or '.join(task.source.files)}."
        )
    if path.is_file():
        return path
    try:
        rows = _load(hub, folder, server)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        rows.to_parquet(str(part))  # type: ignore[attr-defined]
        part.replace(path)
    except Exception as error:  # datasets and its clients raise errors of their own
        raise EvaluationFileError(_reason(task, hub, folder, error)) from error
    return path


def _place(task: EvaluationTask, folder: Path) -> Path | None:
    hub = task.source.hub
    if hub is None:
        return None
    name = "-".join(filter(None, [hub.config, hub.split])).replace("/", "_")
    return folder / HUB_FOLDER / hub.id.replace("/", "--") / hub.revision / f"{name}.parquet"


def _load(hub: HubSource, folder: Path, server: str | None) -> object:
    from datasets import load_dataset

    if server is not None:
        return load_dataset(
            f"{server}/{hub.id}",
            hub.config,
            split=hub.split,
            cache_dir=str(folder / HUB_FOLDER / ".cache"),
        )
    return load_dataset(
        hub.id,
        hub.config,
        split=hub.split,
        revision=hub.revision,
        cache_dir=str(folder / HUB_FOLDER / ".cache"),
    )


def _reason(task: EvaluationTask, hub: HubSource, folder: Path, error: Exception) -> str:
    what = f"Task {task.name}: the hub does not give {hub.id} at {hub.revision[:12]}"
    own = f"put the task's files into {shown(folder)} as {' or '.join(task.source.files)}"
    detail = " ".join(str(error).split())[:300]
    return (
        f"{what}, split {hub.split} ({type(error).__name__}: {detail}). Check the network, "
        f"HF_ENDPOINT and HF_HUB_OFFLINE; for a gated data set, accept its terms and set HF_TOKEN. "
        f"Or {own}."
    )
