"""The modes of files that a library wrote for its user alone.

Belongs here: giving files the mode that other new files get. Does not: what is in the files, or
secrets, which stay their user's.
"""

import tempfile
from pathlib import Path


def share_as_new_files(folder: Path) -> None:
    """Give each file in a folder the mode that a new file there gets by the user's umask.

    safetensors writes weights through a temporary file, whose mode is 0600. Others of a group, or a
    server under another account, could not read them. Links are left as they are.
    """
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        probe = Path(inside) / "probe"
        probe.touch()  # the umask itself can't be read without changing it for all threads
        mode = probe.stat().st_mode & 0o777
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(mode)
