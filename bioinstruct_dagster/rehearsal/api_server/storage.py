"""The storage of files and batches: in memory, or in a folder that outlives the server.

Belongs here: storing records and contents by key. Does not: what a record holds (files, batches).
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from bioinstruct_dagster.rehearsal.api_server.options import OptionsError


class RecordStorage:
    """Records by key. A record may have a content.

    Args:
        folder: where records and contents are kept; None keeps them in memory.

    Raises:
        OptionsError: the folder can't be used.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._records: dict[str, dict[str, Any]] = {}
        self._contents: dict[str, bytes] = {}
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob("*.json"):
                with suppress(FileNotFoundError):  # another server deleted it just now
                    self._records[path.stem] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise OptionsError(
                f"state_dir: {folder} can't be used ({error}). Name a writable folder that is "
                "empty or holds only files of an earlier rehearsal server."
            ) from error

    def put(self, key: str, record: dict[str, Any], content: bytes | None = None) -> None:
        """Store a record in place of the key's old one; without a content the old content stays."""
        if self._folder is None:
            if content is not None:
                self._contents[key] = content
        else:
            if content is not None:
                (self._folder / f"{key}.data").write_bytes(content)
            # The record is written last and in one step, so a record always has a whole content.
            fresh = self._folder / f"{key}.new"
            fresh.write_text(json.dumps(record), "utf-8")
            fresh.replace(self._folder / f"{key}.json")
        self._records[key] = record

    def records(self) -> list[dict[str, Any]]:
        """All records."""
        return list(self._records.values())

    def record(self, key: str) -> dict[str, Any] | None:
        """The record of a key; None if the key is unknown."""
        return self._records.get(key)

    def content(self, key: str) -> bytes | None:
        """The content of a key; None if there is none."""
        # Keys come from a URL and name a file, so only a known key may become part of a path.
        if self.record(key) is None:
            return None
        if self._folder is None:
            return self._contents.get(key)
        path = self._folder / f"{key}.data"
        return path.read_bytes() if path.exists() else None

    def remove(self, key: str) -> bool:
        """Remove a key; False if it is unknown."""
        if self.record(key) is None:
            return False
        del self._records[key]
        self._contents.pop(key, None)
        if self._folder is not None:
            for suffix in ("json", "data"):
                (self._folder / f"{key}.{suffix}").unlink(missing_ok=True)
        return True
