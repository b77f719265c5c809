"""Judgements that reviewers have handed in and `review_results` has not read.

A file may be put into the folder, changed or taken away after the last run. Belongs here: the
comparison of the files with the store, and its sentence. Does not: reading a file
(handed_in.filled_files), or who refuses because of it (publishing.dataset_refusals).
"""

from collections.abc import Iterable

from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.review.handed_in.filled_files import (
    FilledFileError,
    filled_files,
    filled_folder,
    read_judgements,
)
from bioinstruct_dagster.review.handed_in.judgements import RowJudgement
from bioinstruct_dagster.review.results import stored_judgements
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

HAND_IN = (
    "Run: dagster asset materialize -m bioinstruct_dagster --select "
    "'key:review_sample,key:review_results,key:hf_dataset,key:dataset_figures'"
)
_MOST_FILES = 5  # in the message


def unread_judgements(store: Store, settings: Settings) -> str | None:
    """Says that the files hold other judgements than the store, with the command that reads them.

    Args:
        store: with the judgements that were read.
        settings: with the folder.

    Returns:
        None if the store holds what the files say.
    """
    folder = filled_folder(settings)
    try:
        present = {one.key: one for one in read_judgements(filled_files(folder))}
    except FilledFileError as error:
        return (
            f"The filled-in reviews in {folder} can't be read, so nobody knows which rows the "
            f"reviewers reject. {error} Then hand the reviews in again. {HAND_IN}"
        )
    stored = {one.key: one for one in stored_judgements(store)}
    unread = [
        one for key, one in present.items() if key not in stored or not one.same_as(stored[key])
    ]
    gone = [one for key, one in stored.items() if key not in present]
    if not unread and not gone:
        return None
    parts = []
    if unread:
        rejected = sum(one.decision == "reject" for one in unread)
        of_them = f", of which {number_of(rejected, 'rejection')}" if rejected else ""
        parts.append(
            f"review_results has not read {number_of(len(unread), 'judgement')}{of_them}, in "
            f"{_files(unread)} in {folder}."
        )
    if gone:
        parts.append(
            f"review_results holds {number_of(len(gone), 'judgement')} of {_files(gone)} that "
            f"the files in {folder} hold no more."
        )
    return " ".join([*parts, HAND_IN])


def _files(judgements: Iterable[RowJudgement]) -> str:
    """The names of the files that the judgements stand in."""
    names = {one.file for one in judgements}
    more = len(names) - _MOST_FILES
    listed = ", ".join(sorted(names)[:_MOST_FILES])
    return listed + (f" and {more} more files" if more > 0 else "")
