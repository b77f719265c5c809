"""The two tools as processes: each gets a job and returns its values and CPU-seconds.

Belongs here: jobs and commands. Does not: starting and ending processes (benchmarks.training.runs),
or what is measured (measures).
"""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import EVALUATION, PeerInstallError
from benchmarks.evaluation.material import Material
from benchmarks.training.runs import Session

OURS, PEER = "ours", "lm_eval"
TITLES = {OURS: "bioinstruct_dagster", PEER: "lm-evaluation-harness"}
BATCH = 16  # rows of the harness


@dataclass(frozen=True)
class Tools:
    """The two tools in one session."""

    session: Session

    @staticmethod
    def prepare() -> None:
        """Make the harness's environment, before several runs need it at once."""
        with suppress(PeerInstallError):  # each of its runs says why there is none
            EVALUATION.interpreter(PEER)

    def ours(
        self,
        material: Material,
        sets: Sequence[str],
        place: str,
        adapters: Mapping[str, Path] | None = None,
    ) -> dict[str, Any]:
        """Score sets by the base model, or by all adapters in one process.

        Raises:
            RunError: the process failed.
        """
        job = {
            "spec": material.spec.model_dump(mode="json"),
            "models": str(material.models),
            "adapters": {name: str(path) for name, path in (adapters or {}).items()},
        }
        return self._run(
            [sys.executable, "-m", "benchmarks.evaluation.ours"], job, material, sets, place
        )

    def harness(
        self, material: Material, sets: Sequence[str], place: str, adapter: Path | None = None
    ) -> dict[str, Any]:
        """Score sets by the base model, or by one adapter.

        Raises:
            RunError: the process failed.
            PeerInstallError: the harness's environment can't be made.
        """
        job = {
            "base": str(material.base),
            "adapter": str(adapter) if adapter else None,
            "context": material.context,
            "batch": BATCH,
        }
        script = Path(__file__).parent / "peers" / "lm_eval_peer.py"
        command = [str(EVALUATION.interpreter(PEER)), str(script)]
        return self._run(command, job, material, sets, place)

    def _run(
        self,
        command: Sequence[str],
        job: Mapping[str, Any],
        material: Material,
        sets: Sequence[str],
        place: str,
    ) -> dict[str, Any]:
        folder = self.session.folder / "runs" / place
        folder.mkdir(parents=True)
        path, result = folder / "job.json", folder / "result.json"
        more = {
            "tasks": str(material.tasks),
            "sets": list(sets),
            "threads": self.session.threads,
            "result": str(result),
        }
        path.write_text(json.dumps({**job, **more}), "utf-8")
        caches = {"HF_HOME": str(self.session.folder / "hf"), "HF_DATASETS_OFFLINE": "1"}
        usage = self.session.command(
            [*command, str(path)], folder / "output.log", environment=caches
        )
        found: dict[str, Any] = json.loads(result.read_text("utf-8"))
        return found | {"usage": {"cpu": usage.cpu, "wall": usage.wall, "peak": usage.peak_bytes}}
