"""Pushing files to the hub: the repository, then all files in one commit.

Belongs here: the requests, by `huggingface_hub`. Does not: which files there are
(publishing.dataset_files, publishing.adapter_files), or failures in words (hub.failures).
"""

import fnmatch
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.publishing.hub.failures import (
    NOT_LOGGED_IN,
    refuse_bad_characters,
    stating_failures,
)
from bioinstruct_dagster.publishing.hub.repository import (
    DEFAULT_BRANCH,
    HubRepository,
    hub_endpoint,
)
from bioinstruct_dagster.publishing.staged_files import StagedFile, size_in_words, total_size

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_IS_PUBLIC = (
    "The {what} is public, and `private` is true. Nothing was sent. To publish for everybody, set "
    "`private: false` in the run's config; otherwise make the repository private in its settings "
    "({page}/settings), or choose another `repo_id`."
)


@dataclass(frozen=True)
class Pushed:
    """What a push has made.

    Attributes:
        page: the address of the repository's page.
        commit: the hash of the commit.
        changed: whether a commit was made; otherwise the repository held these files already.
    """

    page: str
    commit: str
    changed: bool

    def in_words(self) -> str:
        """The last line of a run."""
        if self.changed:
            return f"Published: {self.page} (commit {self.commit})"
        return f"Unchanged: {self.page} holds these files already (commit {self.commit})"


class OpenRepository:
    """A repository that the token may write to.

    Args:
        to: the repository.
        api: with the endpoint and the token.
        token: that no message may hold.
        head: the commit of the branch before the push.
        present: the paths of its files.
        log: gets a sentence about each step.
    """

    def __init__(
        self,
        to: HubRepository,
        api: "HfApi",
        token: str,
        *,
        head: str | None,
        present: Sequence[str],
        log: Callable[[str], None],
    ) -> None:
        self.to, self._api, self._token, self._log = to, api, token, log
        self._head, self._present = head, present

    def read(self, path: str) -> bytes | None:
        """The content of a file on the branch; None if there is no such file.

        Raises:
            StatedError: the hub does not give it.
        """
        if path not in self._present:
            return None
        with stating_failures(self.to, self._token), tempfile.TemporaryDirectory() as folder:
            found = self._api.hf_hub_download(
                self.to.id, path, repo_type=self.to.kind, revision=self._head, local_dir=folder
            )
            return Path(found).read_bytes()

    def commit(
        self, files: Sequence[StagedFile], message: str, *, replaces: Sequence[str] = ()
    ) -> Pushed:
        """Push all files in one commit, and remove those that they replace.

        The large files are sent before the commit. The hub keeps them by their content, so a push
        that was cut off sends only what is missing, and no reader ever sees a part of a push.

        Args:
            files: that the repository will hold.
            message: of the commit.
            replaces: patterns of paths. A present file that matches one and is not among `files` is
                removed in the same commit.

        Raises:
            StatedError: the hub refuses the push.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        paths = {one.path for one in files}
        old = [
            path
            for path in self._present
            if path not in paths and any(fnmatch.fnmatchcase(path, one) for one in replaces)
        ]
        self._log(
            f"{len(files)} files, {size_in_words(total_size(files))}, go to {self.to.page}"
            + (f"; {len(old)} older files are removed there" if old else "")
        )
        with stating_failures(self.to, self._token), _bars_in_a_terminal():
            # upload_folder would split a large folder into several commits.
            made = self._api.create_commit(
                self.to.id,
                operations=[
                    *(CommitOperationDelete(path, is_folder=False) for path in old),
                    *(CommitOperationAdd(one.path, one.content) for one in files),
                ],
                commit_message=message,
                repo_type=self.to.kind,
                revision=self.to.branch,
                parent_commit=self._head,
            )
        return Pushed(self.to.page, made.oid, changed=made.oid != self._head)


def open_repository(to: HubRepository, log: Callable[[str], None]) -> OpenRepository:
    """Find or make a repository and its branch on the hub.

    Args:
        to: the repository. A new one is private if it says so.
        log: gets a sentence about what was found.

    Raises:
        StatedError: there is no token, no request can carry it, the hub refuses it, or the
            repository is public although `to` says private.
    """
    from huggingface_hub import HfApi, get_token

    if not (token := get_token()):
        raise StatedError(NOT_LOGGED_IN.format(endpoint=hub_endpoint()))
    refuse_bad_characters(token)
    api = HfApi(endpoint=hub_endpoint(), token=token, library_name="bioinstruct-dagster")
    with stating_failures(to, token):
        log(f"{hub_endpoint()} knows this token as {api.whoami()['name']}")
        api.create_repo(to.id, repo_type=to.kind, private=to.private, exist_ok=True)
        is_private = bool(api.repo_info(to.id, repo_type=to.kind).private)
        if to.private and not is_private:
            raise StatedError(_IS_PUBLIC.format(what=to.in_words, page=to.page))
        if is_private and not to.private:
            log(f"The {to.in_words} stays private. You can make it public in its settings.")
        if to.branch != DEFAULT_BRANCH:
            api.create_branch(to.id, branch=to.branch, repo_type=to.kind, exist_ok=True)
        about = api.repo_info(to.id, repo_type=to.kind, revision=to.branch)
    present = [one.rfilename for one in getattr(about, "siblings", None) or ()]
    return OpenRepository(to, api, token, head=about.sha, present=present, log=log)


@contextmanager
def _bars_in_a_terminal() -> Iterator[None]:
    """Show the library's progress bars in a terminal, and nowhere else."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if sys.stderr.isatty() or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
