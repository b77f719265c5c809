"""A publication from its plan to its commit, without Dagster.

Belongs here: the order of the steps. Does not: what a step decides (dataset_refusals,
dataset_files, adapter_refusals, adapter_files), or the run's configuration (automation).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bioinstruct_dagster.dataset.build import CROISSANT_FILE
from bioinstruct_dagster.dataset.older_results import SHORT
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.current_dataset import DATASET
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.publishing import adapter_files, dataset_files
from bioinstruct_dagster.publishing.adapter_refusals import adapter_named, adapter_refusals
from bioinstruct_dagster.publishing.broken_documents import (
    DOCUMENTS_ANEW,
    TRAINED_ANEW,
    BrokenDocumentError,
)
from bioinstruct_dagster.publishing.check_states import CheckState
from bioinstruct_dagster.publishing.dataset_documents import Release, earlier_release
from bioinstruct_dagster.publishing.dataset_refusals import dataset_refusals, unread_reviews
from bioinstruct_dagster.publishing.edited_files import edited_files
from bioinstruct_dagster.publishing.hub.push import OpenRepository, Pushed, open_repository
from bioinstruct_dagster.publishing.hub.repository import HubRepository
from bioinstruct_dagster.publishing.staged_files import StagedFile
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

# Three numbers, as Croissant recommends (semver.org).
_VERSION = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}")


class NotPublishableError(StatedError):
    """A data set or an adapter may not be published. The message lists every reason."""


@dataclass(frozen=True)
class PublicationPlan:
    """What a push would send, and why it may not.

    Attributes:
        to: the repository.
        files: that it will hold.
        refusals: a sentence for each reason; empty if it may be pushed.
        notes: what whoever publishes should know besides.
        edited: a sentence for each file that somebody changed by hand, and that is published so.
        message: of the commit.
        replaces: patterns of the files that the push replaces.
        renewed: the files, if the repository holds something already that they depend on.
    """

    to: HubRepository
    files: Sequence[StagedFile]
    refusals: Sequence[str]
    notes: Sequence[str]
    edited: Sequence[str]
    message: str
    replaces: Sequence[str]
    renewed: Callable[[OpenRepository], Sequence[StagedFile] | None] = lambda _: None

    def push(self, log: Callable[[str], None]) -> Pushed:
        """Push the files in one commit.

        Raises:
            NotPublishableError: there is a reason against it. Nothing was sent.
            StatedError: the hub refuses it, or can't be reached.
        """
        if self.refusals:
            listed = "\n".join(f"- {one}" for one in self.refusals)
            raise NotPublishableError(f"Nothing was published to {self.to.id}:\n{listed}")
        opened = open_repository(self.to, log)
        files = self.renewed(opened) or self.files
        return opened.commit(files, self.message, replaces=self.replaces)


def dataset_plan(
    store: Store,
    settings: Settings,
    to: HubRepository,
    *,
    checks: Sequence[CheckState],
    message: str = "",
    version: str = "",
) -> PublicationPlan:
    """What a push of the data set would send.

    Args:
        store: with the rows.
        settings: with the folder and the licence.
        to: the repository.
        checks: what the blocking checks say up to the data set.
        message: of the commit; made from version and rows if it is empty.
        version: three numbers with points; the day if it is empty.

    Raises:
        StatedError: `version` has another form.
    """
    if version and not _VERSION.fullmatch(version):
        raise StatedError(f"version: write three numbers with points, such as 1.0.0, not {version}")
    found = store.rows(DATASET)[0]
    fingerprint = found["fingerprint"] or ""
    folder = settings.store.data_dir / "hf_dataset"
    release = Release.of_day(datetime.now(UTC).date(), version)

    def files(of: Release) -> list[StagedFile]:
        if not fingerprint:
            return []
        return dataset_files.dataset_files(folder, fingerprint, to, of)

    def renewed(opened: OpenRepository) -> list[StagedFile] | None:
        earlier = earlier_release(opened.read(CROISSANT_FILE), fingerprint, version)
        return files(earlier) if earlier else None

    staged, broken = _readable(lambda: files(release))
    left = [] if broken else dataset_files.left_files(folder, staged)
    return PublicationPlan(
        to=to,
        files=staged,
        # Both may name the same document.
        refusals=list(dict.fromkeys([*dataset_refusals(store, settings, checks), *broken])),
        notes=[
            *dataset_files.missing_figures(folder, fingerprint),
            *(f"Not published, because the project did not write it: {name}" for name in left),
        ],
        edited=edited_files(folder, (one.path for one in staged), DOCUMENTS_ANEW),
        message=message or f"Version {release.version}: content sha256 {fingerprint[:SHORT]}",
        replaces=dataset_files.REPLACED,
        renewed=renewed,
    )


def adapter_plan(
    experiment: str,
    store: Store,
    settings: Settings,
    matrix: ExperimentMatrix,
    to: HubRepository,
    *,
    checks: Sequence[CheckState],
    message: str = "",
) -> PublicationPlan:
    """What a push of an adapter would send.

    Args:
        experiment: its name, `base_model|recipe`.
        store: with adapters and scores.
        settings: with the data folder.
        matrix: the experiments.
        to: the repository.
        checks: what the blocking checks say up to adapters and scores.
        message: of the commit; made from the experiment and its weights if it is empty.

    Raises:
        StatedError: there is no such adapter.
    """
    adapter = adapter_named(experiment, store, settings, matrix)
    staged, broken = _readable(
        lambda: adapter_files.adapter_files(adapter, settings.store.data_dir, to)
    )
    return PublicationPlan(
        to=to,
        files=staged,
        refusals=[
            *unread_reviews(store, settings),
            *adapter_refusals(adapter, store, checks),
            *broken,
        ],
        notes=adapter_files.notes_on(adapter),
        edited=edited_files(adapter.folder, (one.path for one in staged), TRAINED_ANEW),
        message=message or f"{adapter.experiment}: weights sha256 {adapter.sha256[:SHORT]}",
        replaces=adapter_files.REPLACED,
    )


def _readable(files: Callable[[], list[StagedFile]]) -> tuple[list[StagedFile], list[str]]:
    """The files, or none and the reason, if a document among them can't be read."""
    try:
        return files(), []
    except BrokenDocumentError as error:
        return [], [str(error)]
