"""A summary of a failed run for a person: what failed, what is kept, and what to do next.

Belongs here: the words, the file in the data folder, and the message for a webhook. Does not: when
a summary is written (failure_sensor), or sending it (webhook).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.new_files import new_file
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

MOST_CHARACTERS = 2_000  # of a message; the run's page has all of it
_SHORTEST_SECRET = 6  # a shorter value is a word that a local server is given for a key
_HIDDEN = "[secret]"
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY")

PAID_REPLIES = """
    select count(*) as replies, sum(usd) as usd, bool_and(rehearsal) as rehearsal
    from completions
    where run_id = $run_id
"""


@dataclass(frozen=True)
class FailedStep:
    """A step that failed.

    Attributes:
        name: of the step, which is that of its asset.
        message: of the error, without its trace.
        stated: whether the message is written for a user and says what to do.
    """

    name: str
    message: str
    stated: bool


@dataclass(frozen=True)
class FailedRun:
    """A failed run.

    Attributes:
        run_id: of the run.
        job: its name.
        ended: when the run failed.
        steps: the steps that failed; empty if the run failed outside of any step.
        message: Dagster's own words about the run.
        materialized: the assets that the run materialized before, each with its partition.
    """

    run_id: str
    job: str
    ended: datetime
    steps: Sequence[FailedStep]
    message: str
    materialized: Sequence[str]

    @property
    def title(self) -> str:
        """What failed, in one sentence."""
        names = ", ".join(step.name for step in self.steps)
        where = f" at {names}" if names else " outside of any step"
        return f"Run {self.run_id[:8]} of the job {self.job} failed{where}."


@dataclass(frozen=True)
class FailureReport:
    """The parts of a summary. No part holds a secret or a trace."""

    title: str
    failed: Sequence[str]
    kept: Sequence[str]
    next_steps: Sequence[str]

    def markdown(self) -> str:
        """The summary as the text of a file."""
        sections = {
            "What failed": self.failed,
            "What is stored and kept": self.kept,
            "What to do next": self.next_steps,
        }
        parts = [f"# {self.title}"]
        for heading, lines in sections.items():
            parts += [f"## {heading}", "\n".join(f"- {line}" for line in lines)]
        return "\n\n".join(parts) + "\n"

    def message(self, run: FailedRun, path: Path | None) -> dict[str, Any]:
        """The message for a webhook. Chat services show its `text`; programs read the rest.

        Args:
            run: the failed run.
            path: of the file with the summary; None if it could not be written.
        """
        lines = [self.title, *self.failed, *self.kept, *self.next_steps]
        return {
            "text": "\n".join(lines),
            "run_id": run.run_id,
            "job": run.job,
            "failed_steps": [step.name for step in run.steps],
            "errors": list(self.failed),
            "kept": list(self.kept),
            "next_steps": list(self.next_steps),
            "report": str(path) if path else None,
        }


def failure_report(run: FailedRun, store: Store, settings: Settings) -> FailureReport:
    """The summary of a failed run.

    Args:
        run: the failed run.
        store: with the replies that the run paid for.
        settings: whose secrets the summary must not hold.
    """

    def plain(text: str) -> str:
        # An error of several lines, such as one for each fault of a file, stays on lines.
        lines = (" ".join(line.split()) for line in text.splitlines())
        text = redacted("\n  ".join(line for line in lines if line), settings)
        return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"

    failed = [f"{step.name}: {plain(step.message)}" for step in run.steps]
    return FailureReport(
        run.title,
        failed or [plain(run.message) or "Dagster gives no reason."],
        _kept(run, store, settings),
        _next_steps(run),
    )


def _kept(run: FailedRun, store: Store, settings: Settings) -> list[str]:
    lines = [_replies(run.run_id, store)]
    if run.materialized:
        listed = ", ".join(run.materialized)
        lines.append(
            f"The run materialized these assets before it failed, and they stay: {listed}."
        )
    else:
        lines.append("The run materialized no asset. Those of earlier runs stay as they are.")
    lines.append(f"All outputs are in {settings.store.data_dir}.")
    return lines


def _replies(run_id: str, store: Store) -> str:
    """What the run paid for, in a sentence."""
    try:
        found = store.rows(PAID_REPLIES, {"run_id": run_id})[0] if store.path.exists() else None
    except StatedError as error:
        return f"The replies of the teacher could not be counted: {error}"
    if not found or not found["replies"]:
        return "The run stored no reply of a teacher."
    cost = "at an unknown price" if found["usd"] is None else f"for ${found['usd']:,.4f}"
    if found["rehearsal"]:
        cost += " that a rehearsal only pretends"
    return (
        f"The store holds {found['replies']:,} replies that the run received {cost}. The next run "
        "reuses them and pays for none of them again."
    )


def _next_steps(run: FailedRun) -> list[str]:
    lines = []
    if any(step.stated for step in run.steps):
        lines.append("Do what the message above says.")
    if not run.steps or not all(step.stated for step in run.steps):
        lines.append(
            "An error without advice is a fault of this project or of the machine, such as too "
            "little memory. The run's page shows its trace."
        )
    lines.append(
        f"Open the run in Dagster's UI at /runs/{run.run_id}. Then start the same job again, or "
        "choose 'Re-execute from failure' there."
    )
    return lines


def redacted(text: str, settings: Settings) -> str:
    """The text without any secret of the settings or of the environment.

    Args:
        text: that may repeat a secret, such as an error of a library.
        settings: with the secrets.
    """
    groups = (getattr(settings, name) for name in type(settings).model_fields)
    secrets = {
        value.get_secret_value()
        for group in groups
        for value in dict(group).values()
        if isinstance(value, SecretStr)
    }
    secrets |= {os.environ[name] for name in _TOKENS if os.environ.get(name)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _HIDDEN)
    return text


def write_report(report: FailureReport, run: FailedRun, data_dir: Path) -> Path:
    """Write the summary to the folder of failures in the data folder; one file for each run.

    Args:
        report: the summary.
        run: the failed run.
        data_dir: the setting BIOINSTRUCT_DATA_DIR.
    """
    name = f"{run.ended:%Y-%m-%dT%H%M%S}-{run.run_id[:8]}.md"
    path = data_dir / "reports" / "failures" / name
    with new_file(path) as fresh:
        fresh.write_text(report.markdown(), "utf-8")
    return path
