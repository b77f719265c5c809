"""`python -m bioinstruct_dagster.publishing export FORMAT OUT` writes rows for other programs."""

import argparse
import sys
from pathlib import Path

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.dataset.splits import SPLITS
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.current_dataset import DATASET, NO_DATA_SET
from bioinstruct_dagster.publishing.dataset_refusals import (
    older_rows,
    rejected_rows,
    unread_reviews,
)
from bioinstruct_dagster.publishing.export.files import export
from bioinstruct_dagster.publishing.export.formats import FORMATS
from bioinstruct_dagster.settings import Settings, load_settings
from bioinstruct_dagster.store.database import Store

_ALL = "all"


@quiet_on_closed_pipe
def main() -> int:
    """Write the file and say what is in it; return the exit status."""
    arguments = _parser().parse_args()
    try:
        print(_export(arguments, load_settings()))
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bioinstruct_dagster.publishing")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("export", help="write rows of the data set to a file")
    one.add_argument(
        "form",
        choices=FORMATS,
        metavar="FORMAT",
        help="alpaca (instruction, input, output), messages (chats), or columns (all columns)",
    )
    one.add_argument(
        "target",
        type=Path,
        metavar="OUT",
        help="the file: .jsonl (one row a line), .json (one array), or .csv (columns only)",
    )
    one.add_argument(
        "--split",
        action="append",
        choices=(*SPLITS, _ALL),
        help="whose rows are written; may be given more than once (default: train)",
    )
    one.add_argument(
        "--rehearsal",
        action="store_true",
        help="write rows of a rehearsal too; each keeps its mark",
    )
    one.add_argument("--force", action="store_true", help="replace a file that is there")
    return parser


def _export(arguments: argparse.Namespace, settings: Settings) -> str:
    store = Store(settings.store.path, settings.store.lock_timeout)
    fingerprint = store.rows(DATASET)[0]["fingerprint"]
    if fingerprint is None:
        raise StatedError(NO_DATA_SET)
    for refusal in (*unread_reviews(store, settings), rejected_rows(store)):
        if refusal:
            raise StatedError(refusal)
    if older := older_rows(store):
        print(f"Warning: {older}", file=sys.stderr)
    asked = arguments.split or ["train"]
    splits = [one for one in SPLITS if one in asked or _ALL in asked]
    done = export(
        settings.store.data_dir / "hf_dataset",
        fingerprint,
        form=arguments.form,
        target=arguments.target,
        splits=splits,
        rehearsal=arguments.rehearsal,
        force=arguments.force,
    )
    marked = f", {done.rehearsal:,} of them marked rehearsal" if done.rehearsal else ""
    return f"{done.path}: {done.rows:,} rows of {', '.join(splits)}{marked}"


if __name__ == "__main__":
    sys.exit(main())
