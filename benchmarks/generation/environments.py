"""The peers' virtual environments: one each, pinned, made on first use.

A peer's dependencies may contradict another's or ours, so no two share an environment. Belongs
here: making them. Does not: what is run in them.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).parent / "peers"
ENVIRONMENTS = Path(__file__).parents[1] / ".peers"
_PIP_INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


class PeerInstallError(Exception):
    """A peer can't be installed here; the message is pip's."""


def interpreter(name: str) -> Path:
    """The peer's interpreter, its environment made if the pins changed since it was.

    Raises:
        PeerInstallError: pip failed.
    """
    folder = ENVIRONMENTS / name
    python, stamp = folder / "bin" / "python", folder / "pins"
    pins = _digest(name)
    if stamp.exists() and stamp.read_text("utf-8") == pins:
        return python
    print(f"installing {name} into {folder}", file=sys.stderr, flush=True)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    done = subprocess.run(
        [python, *_PIP_INSTALL, "-r", PINS / f"{name}.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("ERROR", "error"))]
        raise PeerInstallError(f"not installed: {' '.join(errors)[:300]}")
    stamp.write_text(pins, "utf-8")
    return python


def _digest(name: str) -> str:
    files = (PINS / f"{name}.txt", PINS / f"{name}.constraints.txt")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
