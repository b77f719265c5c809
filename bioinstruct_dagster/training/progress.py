"""What a user sees while an adapter is trained: a line in the log, and metrics for trackers.

Belongs here: the words and the pace of the lines, and the figures of the whole run. Does not:
counting operations and measuring the machine (training.throughput), or the writing of metrics
(training.trackers).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bioinstruct_dagster.progress import SECONDS_BETWEEN_LINES, duration
from bioinstruct_dagster.training.memory.estimate import size
from bioinstruct_dagster.training.throughput import (
    SpeedLimit,
    hardware,
    library_versions,
    memory_in_use,
    peak_memory,
    project_version,
)


class MetricSink(Protocol):
    """A place that keeps the metrics of each update. No method of it ever raises."""

    def write(self, update: int, metrics: Mapping[str, float]) -> None:
        """Keep the metrics of one update."""

    def close(self) -> None:
        """Keep what is not kept yet."""


class RunTotals(Protocol):
    """What a whole run computed, as training.loop counts it."""

    @property
    def tokens(self) -> int: ...  # noqa: D102
    @property
    def padding_tokens(self) -> int: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102


@dataclass
class _Count:
    """What was computed in a span of time."""

    updates: int = 0
    tokens: int = 0
    padding: int = 0
    started: float = 0.0

    def add(self, tokens: int, padding: int) -> None:
        self.updates += 1
        self.tokens += tokens
        self.padding += padding

    def padding_share(self) -> float:
        return self.padding / max(1, self.tokens + self.padding)


class TrainingProgress:
    """Reports a training run, at most once every ten seconds and once at its end.

    Call `update` after each optimizer update and `validation` after each validation. With several
    ranks, give the other ranks `TrainingProgress.silent()`: only one rank reports.
    """

    def __init__(
        self,
        name: str,
        log: Callable[[str], None],
        *,
        flops_per_token: float | None = None,
        limit: SpeedLimit | None = None,
        sinks: Sequence[MetricSink] = (),
        memory_before: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        Args:
            name: the experiment, with which each line begins.
            log: receives each line.
            flops_per_token: floating-point operations that training needs for a useful token
                (training.throughput.flops_per_token); None if they can't be counted.
            limit: the speed of the device's matrix products; None if it is not known, or is no
                measure: then no utilisation is told.
            memory_before: bytes that the process held after its imports; 0 on a GPU, whose memory
                is counted instead. Memory is told above it, as the estimate is.
            sinks: where the metrics of each update go (training.trackers.open_sinks).
            clock: the time in seconds.
        """
        self._name = name
        self._log = log
        self._flops_per_token = flops_per_token
        self._limit = limit
        self._sinks = sinks
        self._memory_before = memory_before
        self._clock = clock
        now = clock()
        self._window = _Count(started=now)
        self._total = _Count(started=now)
        self._ended = now
        self._line = ""
        self._validation: tuple[int, float] | None = None
        self._closed = False

    @classmethod
    def silent(cls, name: str = "") -> "TrainingProgress":
        """Progress that nobody sees, for tests and for all ranks but one."""
        return cls(name, lambda _: None)

    def update(
        self,
        update: int,
        updates: int,
        loss: float,
        *,
        learning_rate: float,
        tokens: int,
        padding: int,
    ) -> None:
        """Report an optimizer update.

        Args:
            update: its number, counted from 1. A resumed run begins after its checkpoint.
            updates: the number of all updates of the run.
            loss: the mean loss per response token of the update's rows.
            learning_rate: that of the update.
            tokens: useful tokens, which are those of the rows, over all ranks.
            padding: other tokens that the model computed, over all ranks.
        """
        now = self._ended = self._clock()
        for count in (self._window, self._total):
            count.add(tokens, padding)
        speed = self._speed(self._window, now)
        metrics = {"loss": loss, "learning_rate": learning_rate, "padding_share": self._padding()}
        if speed:
            metrics["useful_tokens_per_second"] = speed
        if share := self._utilisation(speed):
            metrics["flop_utilisation"] = share
        self._write(update, {f"train/{name}": value for name, value in metrics.items()})
        self._line = self._words(update, updates, loss, learning_rate, now)
        if now - self._window.started >= SECONDS_BETWEEN_LINES:
            self._say(now)

    def validation(self, update: int, loss: float) -> None:
        """Report a validation after an update: the next line names its loss.

        Args:
            update: the number of the last update before it.
            loss: the mean loss per response token of the validation split.
        """
        self._validation = (update, loss)
        self._write(update, {"validation/loss": loss})

    def close(self) -> None:
        """Report the last update if no line did, and close all sinks. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._line or self._validation:
            self._line = self._line or f"{self._name}: training ended"
            self._say(self._ended)
        for sink in self._sinks:
            sink.close()

    def facts(self, whole: RunTotals | None = None) -> dict[str, Any]:
        """The figures of the run, as JSON values, for the table `lora_adapter`.

        Args:
            whole: tokens and seconds over all processes that worked on the run; None for what this
                process saw so far.
        """
        seconds = whole.seconds if whole else self._ended - self._total.started
        count = _Count(tokens=whole.tokens, padding=whole.padding_tokens) if whole else self._total
        speed = count.tokens / seconds if seconds > 0 else None
        peak = peak_memory()
        return {
            "useful_tokens": count.tokens,
            "padding_tokens": count.padding,
            "padding_share": count.padding_share(),
            "seconds": seconds,
            "useful_tokens_per_second": speed,
            "flops_per_token": self._flops_per_token,
            "flop_utilisation": self._utilisation(speed),
            "speed_limit": self._limit.to_json() if self._limit else None,
            "peak_memory_bytes": peak,
            "peak_above_imports_bytes": max(0, peak - self._memory_before),
            "hardware": hardware(),
            "libraries": library_versions(),
            "project_version": project_version(),
        }

    def _write(self, update: int, metrics: Mapping[str, float]) -> None:
        for sink in self._sinks:
            sink.write(update, metrics)

    def _say(self, now: float) -> None:
        if self._validation:
            update, loss = self._validation
            self._line += f"; validation loss after update {update}: {loss:.3f}"
        self._log(self._line)
        self._line, self._validation = "", None
        self._window = _Count(started=now)

    def _words(
        self, update: int, updates: int, loss: float, learning_rate: float, now: float
    ) -> str:
        speed = self._speed(self._window, now)
        parts = [f"update {update} of {updates}", f"loss {loss:.3f}", f"rate {learning_rate:.2g}"]
        if speed:
            parts.append(f"{speed:,.0f} useful tokens/s")
        share = self._utilisation(speed)
        if share and self._limit:
            parts.append(f"{share:.0%} of {self._limit.name}")
        parts += [f"padding {self._padding():.1%}", self._memory()]
        left = (updates - update) * (now - self._total.started) / self._total.updates
        parts.append(f"{duration(left)} left")
        return f"{self._name}: {', '.join(parts)}"

    def _memory(self) -> str:
        above = size(max(0, memory_in_use() - self._memory_before))
        return f"memory {above}{' above the imports' if self._memory_before else ''}"

    def _padding(self) -> float:
        return self._window.padding_share()

    @staticmethod
    def _speed(count: _Count, now: float) -> float | None:
        """Useful tokens a second; None before any time has passed."""
        seconds = now - count.started
        return count.tokens / seconds if seconds > 0 else None

    def _utilisation(self, speed: float | None) -> float | None:
        """The share of the limit that the useful tokens need; None if it can't be known."""
        if not speed or not self._flops_per_token or not self._limit:
            return None
        return speed * self._flops_per_token / self._limit.flops_per_second
