"""The filled-in files of reviewers: JSON from the page, or CSV from the page or a spreadsheet.

Belongs here: finding the files, reading their records, and refusing faults by file, line and field.
Does not: the fields of one judgement (judgements).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.imports.csv_rows import read_csv
from bioinstruct_dagster.generation.imports.faults import ImportedSetError, RowFaults
from bioinstruct_dagster.generation.imports.json_rows import read_json
from bioinstruct_dagster.generation.imports.text import needs_code_page
from bioinstruct_dagster.input_files import fault_of_file, fault_of_folder, shown
from bioinstruct_dagster.review.handed_in.judgements import (
    FIELDS,
    NEEDED_FIELDS,
    JudgementFaultError,
    RowJudgement,
    judgement_of,
)
from bioinstruct_dagster.settings import Settings

SUFFIXES = (".csv", ".json", ".jsonl")
# Of a CSV file that Excel in Western languages saves without UTF-8. Only comments and names depend
# on it: the texts are compared with those of the rows.
CODE_PAGE = "cp1252"
_ANSWERS = ("decision", "category", "reason", "comment")


class FilledFileError(StatedError):
    """A filled-in file can't be used; the message names file, line and field."""


def filled_folder(settings: Settings) -> Path:
    """The folder that filled-in files are put into."""
    return settings.review.files or settings.store.data_dir / "review" / "filled"


def filled_files(folder: Path) -> list[Path]:
    """The filled-in files of the folder by name; none if there is no folder.

    Raises:
        FilledFileError: the path is no folder, or a file in it has another ending.
    """
    if not folder.exists():
        return []
    if fault := fault_of_folder(folder):
        raise FilledFileError(
            f"{shown(folder)} {fault}. Name a folder in BIOINSTRUCT_REVIEW_FILES."
        )
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "~")))
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            raise FilledFileError(
                f"{shown(path)}: a filled-in review is a file that ends in .json or .csv. Save a "
                "spreadsheet as CSV in UTF-8, or move the file away."
            )
    return paths


def notes_on(paths: Sequence[Path]) -> list[str]:
    """What a person must know of files that were read: those that are no UTF-8."""
    return [
        f"{shown(path)} is not in UTF-8. It was read as Windows-1252, so that letters with accents "
        "in comments and names may be wrong. Look at them, or save the file as CSV in UTF-8."
        for path in paths
        if path.suffix.lower() == ".csv" and needs_code_page(path)
    ]


def read_judgements(paths: Sequence[Path]) -> list[RowJudgement]:
    """All judgements of the files. If a reviewer judged an item twice, the later one counts.

    A reviewer may write a name in several ways ("AB", "a.b."): all are the first that is read.

    Raises:
        FilledFileError: names every fault of the first file that has any, or two judgements of a
            reviewer of which none is later.
    """
    latest: dict[tuple[str, str], RowJudgement] = {}
    names: dict[str, str] = {}
    for path in paths:
        for read in read_file(path):
            name = names.setdefault(_letters_of(read.reviewer), read.reviewer)
            judgement = replace(read, reviewer=name)
            latest[judgement.key] = _later(latest.get(judgement.key), judgement)
    return [latest[key] for key in sorted(latest)]


def _letters_of(name: str) -> str:
    """What two ways to write one name share: letters and digits in small letters."""
    return "".join(filter(str.isalnum, name.casefold()))


def _later(known: RowJudgement | None, new: RowJudgement) -> RowJudgement:
    if known is None or known.same_as(new):
        return new if known is None else known
    if known.judged_at is None or new.judged_at is None or known.judged_at == new.judged_at:
        raise FilledFileError(
            f"{known.reviewer} judged {known.item_id} twice, and not alike: {known.place} and "
            f"{new.place}. Neither says when (field judged_at). Remove one of the two lines."
        )
    return new if new.judged_at > known.judged_at else known


def read_file(path: Path) -> list[RowJudgement]:
    """The judgements of one file. Lines without any answer are left out: they are not judged yet.

    If one reviewer's name stands in the file, lines without a name are that reviewer's.

    Raises:
        FilledFileError: names file, line and field of each fault.
    """
    if fault := fault_of_file(path):
        raise FilledFileError(f"{shown(path)} {fault}.")
    is_csv = path.suffix.lower() == ".csv"
    try:
        records = list((read_csv(path, CODE_PAGE) if is_csv else read_json(path)).records)
    except ImportedSetError as error:
        raise FilledFileError(str(error)) from None
    faults = RowFaults()
    answered: list[tuple[str, Mapping[str, Any]]] = []
    for place, fields in records:
        if not isinstance(fields, Mapping):
            faults.add(place, "it is no object with the fields of a judgement")
        elif any(str(fields.get(name) or "").strip() for name in _ANSWERS):
            answered.append((place, fields))
    _refuse_missing_columns(path, [fields for _, fields in answered])
    found = _judgements(path, answered, faults)
    try:
        faults.refuse(f"{shown(path)}: the filled-in review has faults:")
    except ImportedSetError as error:
        raise FilledFileError(str(error)) from None
    return found


def _refuse_missing_columns(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    if records and (missing := [n for n in NEEDED_FIELDS if not any(n in one for one in records)]):
        raise FilledFileError(
            f"{shown(path)}: there is no column {', '.join(missing)}. The columns of a filled-in "
            f"review are {', '.join(FIELDS)}; others are not read."
        )


def _judgements(
    path: Path, records: Iterable[tuple[str, Mapping[str, Any]]], faults: RowFaults
) -> list[RowJudgement]:
    records = list(records)
    names = {str(fields.get("reviewer") or "").strip() for _, fields in records} - {""}
    only = names.pop() if len(names) == 1 else ""
    found: dict[tuple[str, str], RowJudgement] = {}
    for place, fields in records:
        named = (
            fields if str(fields.get("reviewer") or "").strip() else {**fields, "reviewer": only}
        )
        try:
            judgement = judgement_of(named, f"{path.name}, {place}")
        except JudgementFaultError as error:
            faults.add(place, f"field {error.field}: {error}")
            continue
        if earlier := found.get(judgement.key):
            faults.add(
                place, f"field item_id: {earlier.line} judges the same row; remove one of them"
            )
        found[judgement.key] = judgement
    return list(found.values())
