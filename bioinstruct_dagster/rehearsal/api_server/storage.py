"""Where files and batches are kept: in memory, or in a folder that outlives the server.

Belongs here: storing records and contents by key. Does not: what they mean (files, batches).
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from bioinstruct_dagster.rehearsal.api_server.options import OptionsError


class RecordStorage:
    """Records by key, each with or without a content.

    Args:
        folder: where they live; None keeps them in memory.

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
                f"state_dir: {folder} can't be used ({error}). Name a folder that can be written "
                "to, with nothing in it but what an earlier rehearsal server left."
            ) from error

    def put(self, key: str, record: dict[str, Any], content: bytes | None = None) -> None:
        """Store a record; what was stored under its key is replaced, a content only by another."""
        if self._folder is None:
            if content is not None:
                self._contents[key] = content
        else:
            if content is not None:
                (self._folder / f"{key}.data").write_bytes(content)
            # The record goes last and at once: where there is one, its content is whole.
            fresh = self._folder / f"{key}.new"
            fresh.write_text(json.dumps(record), "utf-8")
            fresh.replace(self._folder / f"{key}.json")
        self._records[key] = record

    def records(self) -> list[dict[str, Any]]:
        """All records."""
        return list(self._records.values())

    def record(self, key: str) -> dict[str, Any] | None:
        """The record of a key, if it has one."""
        return self._records.get(key)

    def content(self, key: str) -> bytes | None:
        """The content of a key, if it has one."""
        # Keys come from a URL and name a file: only known ones get as far as a path.
        if self.record(key) is None:
            return None
        if self._folder is None:
            return self._contents.get(key)
        path = self._folder / f"{key}.data"
        return path.read_bytes() if path.exists() else None

    def remove(self, key: str) -> bool:
        """Forget a key; False where it is unknown."""
        if self.record(key) is None:
            return False
        del self._records[key]
        self._contents.pop(key, None)
        if self._folder is not None:
            for suffix in ("json", "data"):
                (self._folder / f"{key}.{suffix}").unlink(missing_ok=True)
        return True
