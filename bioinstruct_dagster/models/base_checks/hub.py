"""Gets a model of the Hugging Face hub as a folder, and says in words why it can't be had.

The small files come first, so that a model that can't be trained is refused before its weights are
downloaded. Belongs here: the hub. Does not: what is in the files (the other modules).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.base_checks.findings import Findings
from bioinstruct_dagster.models.base_checks.weight_files import check_listing

_SMALL = ("*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken")
_WEIGHTS = ("model*.safetensors",)
_FIRST_ANSWER = 10.0  # seconds to wait for the hub's first answer


@dataclass(frozen=True)
class HubModel:
    """A model of the hub: its id, the commit that the revision means, and its cached folder."""

    source: str
    commit: str
    folder: Path
    offline: bool

    def with_weights(self, findings: Findings, log: Callable[[str], None]) -> Path:
        """The folder with the weights. Downloads those that the cache lacks."""
        if not self.offline:
            log(f"base model {self.source!r}: getting the weights of commit {self.commit}")
            try:
                return _snapshot(self.source, self.commit, (*_SMALL, *_WEIGHTS), local=False)
            except Exception as error:  # noqa: BLE001  # the clients below raise their own errors
                findings.fault(_reason(self.source, self.commit, error))
        return self.folder


def find(
    source: str, revision: str | None, findings: Findings, log: Callable[[str], None]
) -> HubModel | None:
    """The model with its small files; None, with a fault, if it can't be had.

    One request asks the hub, without repetition. If the hub can't be reached, a cached copy serves.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    try:
        about = api.model_info(source, revision=revision, timeout=_FIRST_ANSWER)
        check_listing([file.rfilename for file in about.siblings or ()], findings)
        commit = str(about.sha or revision or "main")
        if findings.faults:
            return None
        folder = _snapshot(source, commit, _SMALL, local=False)
        return HubModel(source, commit, folder, offline=False)
    except Exception as error:  # noqa: BLE001  # the clients below raise their own errors
        reason = _reason(source, revision, error)
        if not _unreachable(error):
            findings.fault(reason)
            return None
    try:
        folder = _snapshot(source, revision or "main", _SMALL, local=True)
    except Exception:  # noqa: BLE001  # not in the cache, in any form
        findings.fault(reason)
        return None
    log(f"base model {source!r}: the hub is not reached, so the cached copy {folder.name} is used")
    return HubModel(source, folder.name, folder, offline=True)


def _snapshot(source: str, revision: str, patterns: tuple[str, ...], *, local: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            source,
            revision=revision,
            allow_patterns=list(patterns),
            local_files_only=local,
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    )


def _unreachable(error: BaseException) -> bool:
    """Whether the hub gave no answer, or an answer that says nothing about the model."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return _status(error) >= 500  # noqa: PLR2004  # HTTP: the server's own faults
    return not isinstance(error, ValueError)  # a malformed id


def _status(error: Any) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)


def _reason(  # noqa: PLR0911  # one text for each kind of refusal
    source: str, revision: str | None, error: BaseException
) -> str:
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, HFValidationError):
        return (
            f"{source!r} is neither a folder nor a hub id such as `owner/name`. Correct `source`."
        )
    if isinstance(error, GatedRepoError):
        return (
            f"The hub gives {source!r} only to people who accepted its terms. Accept them at "
            f"https://huggingface.co/{source}, and set HF_TOKEN to a token of that account."
        )
    if isinstance(error, RevisionNotFoundError):
        return (
            f"The hub's {source!r} has no revision {revision!r}. Correct `revision`, or remove it."
        )
    if isinstance(error, RepositoryNotFoundError) or _status(error) in {401, 403, 404}:
        return (
            f"It is neither a folder here nor a model that the hub shows: {source!r} does not "
            "exist, or is private. Correct `source`; for a private model, set HF_TOKEN."
        )
    if isinstance(error, OfflineModeIsEnabled):
        return (
            f"The hub is switched off (HF_HUB_OFFLINE), and {source!r} is not in the cache. Remove "
            "HF_HUB_OFFLINE, or name a local folder."
        )
    if isinstance(error, OSError) and error.errno is not None and "space" in str(error):
        return f"The disk has no room for {source!r} ({error}). Free some, or set HF_HOME."
    return (
        f"The hub does not give {source!r} ({type(error).__name__}: {error}), and it is not in the "
        "cache. Check the network and HF_ENDPOINT, or name a local folder."
    )
