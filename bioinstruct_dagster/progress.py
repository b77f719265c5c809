"""How far a long step has come, at which rate, and how much time is left.

A log gets at most one line in ten seconds, and a step that is shorter gets none. A command in a
terminal shows a bar. Belongs here: the pace and the words of such lines, and a duration in words.
Does not: what else a step says of itself (training.progress, teacher.flow.sending).
"""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SECONDS_BETWEEN_LINES = 10.0
_LEAST_SHARE = 0.01  # of the work; before it, the time left is a guess

Log = Callable[[str], None]


def duration(seconds: float) -> str:
    """A duration in words of two units at most, rounded up to a whole second."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def shown_rate(rate: float) -> str:
    """A rate with three digits that count, or as a whole number."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"  # noqa: PLR2004  # three digits


class Progress:
    """Reports a step, at most once every ten seconds, and once at its end if it took longer.

    Args:
        name: of the step, with which each line begins.
        total: how many things there are.
        things: the word for them, such as `rows`.
        done_word: what is done with them, such as `checked`.
        log: takes one line.
        work: how much work they are, if one thing takes longer than another; None if all are alike.
        always_ends: whether the end is told even if the step took less than ten seconds.
        clock: gives the time in seconds.
    """

    def __init__(
        self,
        name: str,
        total: int,
        things: str,
        done_word: str,
        log: Log,
        *,
        work: float | None = None,
        always_ends: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._total = total
        self._things = things
        self._word = done_word
        self._log = log
        self._work = float(total) if work is None else work
        self._always_ends = always_ends
        self._clock = clock
        self._started = self._said = clock()

    def come_to(self, done: int, work: float | None = None) -> None:
        """Say how far the step has come, if the last line is ten seconds old.

        Args:
            done: how many things are done.
            work: the part of the work that is done, which may lie between two things.
        """
        now = self._clock()
        seconds = now - self._started
        head = f"{self._name}: {done:,} of {self._total:,} {self._things} {self._word}"
        if done >= self._total:
            if self._always_ends or seconds >= SECONDS_BETWEEN_LINES:
                self._log(f"{head} in {duration(seconds)}")
        elif now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            self._log(head + self._pace(done, float(done) if work is None else work, seconds))

    def _pace(self, done: int, work: float, seconds: float) -> str:
        """The rate and the time that is left, as the end of a line."""
        rate = f", {shown_rate(done / seconds)} {self._things}/s" if done and seconds else ""
        if not work or work < _LEAST_SHARE * self._work:
            return rate
        return f"{rate}, {duration(seconds / work * (self._work - work))} left"


class ProgressBar(Progress):
    """Shows the same as a bar in a terminal."""

    def __init__(self, name: str, total: int, things: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        super().__init__(name, total, things, "", _nothing)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(things),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            redirect_stdout=False,  # what a command prints there may go to a file
        )
        self._task = self._bar.add_task(name, total=total)
        self._bar.start()

    def come_to(self, done: int, work: float | None = None) -> None:  # noqa: ARG002
        """Move the bar."""
        self._bar.update(self._task, completed=done)

    def close(self) -> None:
        """Leave the bar as it is, and give the terminal back."""
        self._bar.stop()


@contextmanager
def command_progress(name: str, total: int, things: str, done_word: str) -> Iterator[Progress]:
    """The progress of a command: a bar if a person looks at the terminal, else lines.

    Args:
        name: of the step.
        total: how many things there are.
        things: the word for them.
        done_word: what is done with them.
    """
    if sys.stderr.isatty():
        bar = ProgressBar(name, total, things)
        try:
            yield bar
        finally:
            bar.close()
    else:
        yield Progress(name, total, things, done_word, _to_terminal)


_LOG: ContextVar[Log | None] = ContextVar("log", default=None)


@contextmanager
def progress_to(log: Log) -> Iterator[None]:
    """Within this context, `step_progress` reports to this log.

    So a loop deep in a computation reports without a log among its arguments.

    Args:
        log: takes one line.
    """
    token = _LOG.set(log)
    try:
        yield
    finally:
        _LOG.reset(token)


def step_progress(name: str, total: int, things: str, done_word: str) -> Progress:
    """The progress of a step that reports to the log of `progress_to`; it is silent without one.

    Args:
        name: of the step.
        total: how many things there are.
        things: the word for them.
        done_word: what is done with them.
    """
    return Progress(name, total, things, done_word, _LOG.get() or _nothing)


def _to_terminal(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _nothing(_: str) -> None:
    """Take a line that nobody reads."""
