"""`python -m bioinstruct_dagster.findings report` writes the report of a study as one HTML file."""

import argparse
import sys
from pathlib import Path

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.findings.made import FINDINGS, later_scores, make
from bioinstruct_dagster.findings.study_report.page import write_report
from bioinstruct_dagster.findings.study_report.sources import ReportSources
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.settings import load_settings
from bioinstruct_dagster.store.database import Store


@quiet_on_closed_pipe
def main() -> int:
    """Make findings that are older than the scores anew, write the report, and say where it is.

    Returns the exit status: 1 if the store or an input file can't be read.
    """
    parser = argparse.ArgumentParser(prog="python -m bioinstruct_dagster.findings")
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="write the report of the study as one HTML file")
    report.add_argument(
        "--output",
        type=Path,
        help="the file to write; by default reports/study_report.html in the data folder",
    )
    report.add_argument(
        "--note", default="", metavar="TEXT", help="a line to show under the title of the report"
    )
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        store = Store(settings.store.path, settings.store.lock_timeout)
        matrix = read_experiments(settings.models.experiments)
        sources = ReportSources.of(store, settings, matrix)
        if later := later_scores(store):
            print(f"{len(later):,} experiments were scored after the findings were made. Making "
                  f"{', '.join(FINDINGS)} anew.")  # fmt: skip
            for name in FINDINGS:
                make(name, sources.findings, settings)
            sources = ReportSources.of(store, settings, matrix)
        written = write_report(sources, arguments.output, arguments.note)
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    print(written.summary)
    for text in written.missing:
        print(f"Missing: {text}")
    print(f"{written.path.resolve().as_uri()} ({written.size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
