"""The project at another commit, in a folder of its own, for a comparison in one session.

Belongs here: writing that folder. Does not: running it (runs), or the measures (measures).
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def checked_out(commit: str, folder: Path) -> Path:
    """Write the project as it is at a commit into a new folder. The Git repository stays as it is.

    The benchmarks of the folder are those of the running session, so that both versions of the
    project are measured by the same code.

    Returns:
        The folder.

    Raises:
        SystemExit: Git does not know the commit, or the project is not in a Git repository.
    """
    git, tar = shutil.which("git"), shutil.which("tar")
    if git is None or tar is None:
        sys.exit(f"--beside {commit}: needs the commands git and tar. Install them.")
    try:
        archive = subprocess.run(
            [git, "-C", str(ROOT), "archive", commit], check=True, capture_output=True
        ).stdout
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace")
        sys.exit(f"--beside {commit}: Git can't write this commit: {said.strip()} Name a commit.")
    folder.mkdir(parents=True)
    subprocess.run([tar, "-x", "-C", str(folder)], input=archive, check=True)
    shutil.rmtree(folder / "benchmarks", ignore_errors=True)
    shutil.copytree(ROOT / "benchmarks", folder / "benchmarks")
    return folder
