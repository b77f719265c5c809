"""A repository on the Hugging Face hub: its name, its branch, its address, and who may see it.

Belongs here: the choice of a user, and its faults. Does not: the hub's interface (hub.push).
"""

import os
from dataclasses import dataclass
from typing import Literal

from bioinstruct_dagster.errors import StatedError

RepositoryKind = Literal["dataset", "model"]
DEFAULT_BRANCH = "main"
_PUBLIC_HUB = "https://huggingface.co"


def hub_endpoint() -> str:
    """The address of the hub: HF_ENDPOINT, as the hub's own library reads it, or the public one."""
    return (os.environ.get("HF_ENDPOINT") or _PUBLIC_HUB).rstrip("/")


@dataclass(frozen=True)
class HubRepository:
    """Where a publication goes.

    Attributes:
        id: `owner/name`.
        kind: a data set, or a model such as an adapter.
        private: whether only its owner may see it.
        branch: the branch that gets the commit. A new one is made from the default branch.

    Raises:
        StatedError: the id is no `owner/name`, or the branch is empty.
    """

    id: str
    kind: RepositoryKind
    private: bool = True
    branch: str = DEFAULT_BRANCH

    def __post_init__(self) -> None:
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils._validators import validate_repo_id

        try:
            validate_repo_id(self.id)
        except HFValidationError as error:
            raise StatedError(f"repo_id: {error}") from None
        if "/" not in self.id:
            raise StatedError(
                f"repo_id: {self.id!r} names no owner. Write owner/name, where the owner is your "
                "account or your organization on the hub."
            )
        if not self.branch.strip() or self.branch != self.branch.strip():
            raise StatedError("revision: write the name of a branch, such as main.")

    @property
    def page(self) -> str:
        """The address of its page, of this branch."""
        prefix = "datasets/" if self.kind == "dataset" else ""
        branch = "" if self.branch == DEFAULT_BRANCH else f"/tree/{self.branch}"
        return f"{hub_endpoint()}/{prefix}{self.id}{branch}"

    def file_address(self, path: str) -> str:
        """The address of a file of this branch."""
        prefix = "datasets/" if self.kind == "dataset" else ""
        return f"{hub_endpoint()}/{prefix}{self.id}/resolve/{self.branch}/{path}"

    @property
    def in_words(self) -> str:
        """The repository in words."""
        return f"{'data set' if self.kind == 'dataset' else 'model'} repository {self.id}"
