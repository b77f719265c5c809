"""`python -m bioinstruct_dagster.generation preview` shows the next prompts and their cost.

It sends no request, unless `--ask` allows some. Belongs here: the command. Does not: the preview
(generation.preview) or its words (preview_text). As a command, and only as one, this module may use
the gates of curation.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.curation.curate_rows import RowCurator, curator_maker
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.preview import preview
from bioinstruct_dagster.generation.preview_replies import asked_replies
from bioinstruct_dagster.generation.preview_text import preview_lines, reply_lines
from bioinstruct_dagster.progress import command_progress
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.settings import load_settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import canonical_json

_PROMPTS, _MOST_PROMPTS = 10, 100
_MOST_REPLIES = 10  # a preview is no run


class CuratorGates:
    """Curation's gates, with the reasons of their rejections."""

    def __init__(self, curator: RowCurator) -> None:
        self._curator = curator

    def extend(self, raw: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Check the next rows; True for each row that is kept."""
        return self._curator.extend(raw)

    def rejection(self, row_id: str) -> tuple[str, str] | None:
        """The gate that rejected the row, and the reason; None if the row was kept."""
        for row in self._curator.curated.rejected:
            if row["row_id"] == row_id:
                score = "" if row["score"] is None else f" {row['score']:.3f}"
                # What the privacy gate found may identify a person.
                found = "" if row["gate"] == "privacy" else canonical_json(row["detail"])
                return row["gate"], f"{row['reason']}{score} {found}".rstrip()
        return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bioinstruct_dagster.generation")
    commands = parser.add_subparsers(dest="command", required=True)
    shown = commands.add_parser(
        "preview", help="show the next prompts and their estimated cost, before anything is paid"
    )
    shown.add_argument(
        "--prompts",
        type=_whole_number(1, _MOST_PROMPTS),
        default=_PROMPTS,
        metavar="N",
        help=f"how many prompts to show (default: {_PROMPTS})",
    )
    shown.add_argument(
        "--ask",
        type=_whole_number(1, _MOST_REPLIES),
        metavar="N",
        help=(
            "send N of these requests, which the teacher bills, and show the replies as the gates "
            f"would judge them (at most {_MOST_REPLIES}); without it nothing is sent"
        ),
    )
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _whole_number(least: int, most: int) -> Any:
    def whole_number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            message = f"{value} is not between {least} and {most}"
            raise argparse.ArgumentTypeError(message)
        return value

    return whole_number


@quiet_on_closed_pipe
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the preview; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        store = Store(settings.store.path, settings.store.lock_timeout)
        make_curator = curator_maker(settings, store)

        def make_gates(seeds: Sequence[SeedTask]) -> CuratorGates:
            return CuratorGates(make_curator(seeds))

        for line in preview_lines(preview(settings, store, make_gates, options.prompts), settings):
            print(line)
        if options.ask is None:
            print("Nothing was sent. To see real replies, add --ask 3; the teacher bills them.")
            return 0
        with command_progress("preview", options.ask, "replies", "received") as progress:
            replies, tally = asked_replies(
                settings, store, make_gates, options.ask, log=_say, progress=progress
            )
        for line in reply_lines(replies, tally, pretended=settings.teacher.name == "rehearsal"):
            print(line)
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
