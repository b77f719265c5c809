"""The exchange: a folder by URL that both the machine of the store and that of the GPU can reach.

Belongs here: texts and folders, by any protocol that fsspec knows. A folder is written once, and
whoever fetches it checks each file's sha256. Does not: which folders travel (parcel).
"""

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.new_folders import new_folder
from bioinstruct_dagster.store.fingerprints import sha256_of_file

_MANIFEST = "manifest.json"


class ExchangeError(StatedError):
    """The exchange can't be reached, or holds something else than was written to it."""


class Exchange:
    """A folder by URL, such as `s3://bucket/bioinstruct` or `file:///mnt/shared/bioinstruct`."""

    def __init__(self, url: str) -> None:
        """Open the exchange.

        Raises:
            ExchangeError: no installed library knows the URL's protocol.
        """
        import fsspec
        from fsspec.implementations.local import LocalFileSystem

        self.url = url.rstrip("/")
        try:
            # A cached listing would hide what the other side writes.
            self._files, root = fsspec.core.url_to_fs(
                self.url, use_listings_cache=False, skip_instance_cache=True
            )
        except (ImportError, ValueError) as error:
            raise ExchangeError(
                f"BIOINSTRUCT_EXCHANGE_URL: {self.url} can't be opened ({error}). Name a URL of "
                "file://, s3:// or gs://. Install s3fs for s3://, and gcsfs for gs://, on both "
                "sides."
            ) from error
        self._root = root.rstrip("/")
        self._local = isinstance(self._files, LocalFileSystem)

    def put_text(self, name: str, text: str) -> None:
        """Write a small file at once: a reader finds all of it or nothing."""
        with self._faults(name):
            place = self._place(name)
            if not self._local:
                self._files.pipe_file(place, text.encode())
                return
            path = Path(place)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
            fresh.write_text(text, "utf-8")
            fresh.replace(path)

    def text(self, name: str) -> str | None:
        """The text of a small file; None if there is none."""
        with self._faults(name):
            try:
                return bytes(self._files.cat_file(self._place(name))).decode()
            except FileNotFoundError:
                return None

    def has_folder(self, name: str) -> bool:
        """Whether a folder was written as a whole."""
        return self.text(f"{name}/{_MANIFEST}") is not None

    def put_folder(self, folder: Path, name: str, pattern: str = "**/*") -> None:
        """Write a folder's files, unless it was written before; hidden files are left out.

        Args:
            folder: the folder.
            name: under which it can be fetched.
            pattern: of the files that are written, relative to the folder.
        """
        if self.has_folder(name):
            return
        sums: dict[str, str] = {}
        for path in sorted(folder.glob(pattern)):
            relative = path.relative_to(folder)
            if not path.is_file() or any(part.startswith(".") for part in relative.parts):
                continue
            sums[relative.as_posix()] = sha256_of_file(path)
            with self._faults(name):
                place = self._place(f"{name}/{relative.as_posix()}")
                if self._local:
                    Path(place).parent.mkdir(parents=True, exist_ok=True)
                self._files.put_file(str(path), place)
        # Last, so that whoever finds it finds the files too.
        self.put_text(f"{name}/{_MANIFEST}", json.dumps(sums))

    def fetch_folder(
        self, name: str, folder: Path, amend: Callable[[Path], None] = lambda _: None
    ) -> None:
        """Fetch a folder that was written as a whole. An older `folder` is replaced.

        Args:
            name: as it was written.
            folder: where it goes. A process never sees a part of it.
            amend: is called with the fetched folder before it is moved there.

        Raises:
            ExchangeError: it is not there, or a file's sha256 is not the one written down.
        """
        text = self.text(f"{name}/{_MANIFEST}")
        if text is None:
            raise ExchangeError(
                f"The exchange has no complete folder {self.url}/{name}. Run the step again; what "
                "is there already is not sent again."
            )
        with new_folder(folder) as fresh:
            for relative, sha256 in json.loads(text).items():
                path = fresh / relative
                if not path.resolve().is_relative_to(fresh.resolve()):
                    raise ExchangeError(f"{self.url}/{name} names a file outside it: {relative}")
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._faults(name):
                    self._files.get_file(self._place(f"{name}/{relative}"), str(path))
                if sha256_of_file(path) != sha256:
                    raise ExchangeError(
                        f"{self.url}/{name}/{relative} has not the sha256 with which it was "
                        "written, so it was changed or cut on its way. Delete the folder there, "
                        "and run the step again."
                    )
            amend(fresh)

    def remove(self, name: str) -> None:
        """Remove a folder, if it is there. The other side may write to it at the same time."""
        if self._local:
            shutil.rmtree(self._place(name), ignore_errors=True)
            return
        with self._faults(name):
            try:
                self._files.rm(self._place(name), recursive=True)
            except FileNotFoundError:
                return

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _faults(self, name: str) -> Iterator[None]:
        try:
            yield
        except (ExchangeError, FileNotFoundError):
            raise
        except Exception as error:  # each protocol has errors of its own
            raise ExchangeError(
                f"BIOINSTRUCT_EXCHANGE_URL: {self.url}/{name} can't be read or written "
                f"({type(error).__name__}: {error}). Check the URL, and that both the machine of "
                "Dagster and that of the GPU may write there."
            ) from error
