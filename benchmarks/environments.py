"""Virtual environments of other software: one each, with pinned versions, made on first use.

The dependencies of two peers, or of a peer and this project, may conflict, so each has its own
environment. The pins are in `<name>.txt` with `<name>.constraints.txt`. The benchmarks install
their peers so, and `make test-servers` its servers. Belongs here: making the environments. Does
not: running scripts in them.
"""

import hashlib
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).parent
_PIP_INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


class PeerInstallError(Exception):
    """A peer can't be installed on this machine. The message is pip's."""


class Environments:
    """The environments of one benchmark session, or of the tests of servers.

    Args:
        pins: the folder with the pins of each environment.
        home: the folder to make the environments in.
        alone: names that are installed without what their packages depend on.
        beside: names whose environment also finds the packages of the present environment. It
            saves another copy of large ones, such as torch.
    """

    def __init__(
        self,
        pins: Path,
        home: Path,
        *,
        alone: frozenset[str] = frozenset(),
        beside: frozenset[str] = frozenset(),
    ) -> None:
        self._pins = pins
        self._home = home
        self._alone = alone
        self._beside = beside

    def interpreter(self, name: str) -> Path:
        """The peer's interpreter, its environment made if the pins changed since it was.

        Raises:
            PeerInstallError: pip failed.
        """
        folder = self._home / name
        python, stamp = folder / "bin" / "python", folder / "pins"
        pins = self._digest(name)
        if stamp.exists() and stamp.read_text("utf-8") == pins:
            return python
        print(f"installing {name} into {folder}", file=sys.stderr, flush=True)
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        if name in self._beside:
            packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
            present = sysconfig.get_path("purelib")
            packages.joinpath("present_environment.pth").write_text(f"{present}\n", "utf-8")
        alone = ["--no-deps"] if name in self._alone else []
        done = subprocess.run(
            [python, *_PIP_INSTALL, *alone, "-r", self._pins / f"{name}.txt"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.splitlines()
            errors = [line for line in lines if line.startswith(("ERROR", "error"))]
            raise PeerInstallError(f"not installed: {' '.join(errors)[:300]}")
        stamp.write_text(pins, "utf-8")
        return python

    def version_pinned(self, name: str) -> str:
        """The version of the package that the peer is named after."""
        lines = (self._pins / f"{name}.txt").read_text("utf-8").splitlines()
        return next(line for line in lines if "==" in line).split("==")[1]

    def _digest(self, name: str) -> str:
        files = (self._pins / f"{name}.txt", self._pins / f"{name}.constraints.txt")
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _of_session(session: str, alone: frozenset[str] = frozenset()) -> Environments:
    return Environments(HERE / session / "peers", HERE / ".peers" / session, alone=alone)


GENERATION = _of_session("generation")
# Its decontamination stands on the standard library; the package's dependencies are a stack of GBs.
CURATION = _of_session("curation", alone=frozenset({"lm_eval"}))
# Beside the present packages, so that TRL runs on the same torch, transformers and peft as ours.
TRAINING = Environments(
    HERE / "training" / "peers", HERE / ".peers" / "training", beside=frozenset({"trl"})
)
# Beside them too; lm-evaluation-harness brings some twenty small packages of its own.
EVALUATION = Environments(
    HERE / "evaluation" / "peers", HERE / ".peers" / "evaluation", beside=frozenset({"lm_eval"})
)
