"""Whether a path is a file that can be read, decided before it is opened.

Opening a pipe would wait for ever, and Python's own messages name neither the setting nor what to
do. Belongs here: what can be wrong with the path of a file or folder. Does not: the content of a
file (yaml_files, or the module that owns the file).
"""

import errno
import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_FAULTS_BY_ERROR = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist: a part of the path is a file, not a folder",
    errno.ELOOP: "is a link that leads back to itself",
    errno.ENAMETOOLONG: "is longer than a path can be",
    errno.EACCES: "can't be read: this user has no permission",
    errno.EPERM: "can't be read: this user has no permission",
}


def fault_of_file(path: Path) -> str:
    """What keeps the path from being read as a file, such as "is a folder, not a file".

    Returns:
        the end of a sentence whose subject is the path; empty if the file can be read.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind == stat.S_IFREG:
            with path.open("rb"):
                return ""
    except (OSError, ValueError) as error:
        return fault_of(error)
    return f"is {_KINDS.get(kind, 'something else')}, not a file"


def fault_of_folder(path: Path) -> str:
    """What keeps the path from being read as a folder; empty if the folder can be listed."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind == stat.S_IFDIR:
            with os.scandir(path):
                return ""
    except (OSError, ValueError) as error:
        return fault_of(error)
    return f"is {_KINDS.get(kind, 'a file')}, not a folder"


def fault_of(error: OSError | ValueError) -> str:
    """The fault of a path by the error that the operating system or Python gives for it."""
    if not isinstance(error, OSError):
        return "holds a NUL character or a character that no path can hold"
    reason = error.strerror or type(error).__name__
    return _FAULTS_BY_ERROR.get(error.errno or 0, f"can't be read ({reason})")


def shown(path: object) -> str:
    """The path as a message shows it: in one line, with an escape for what is no text."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
