"""The settings of the review by persons.

Belongs here: how many rows are asked about, and where filled-in files lie. Does not: the shares of
the strata (review.sampling).
"""

from pathlib import Path

from bioinstruct_dagster.settings.fields import SettingsGroup, setting


class ReviewSettings(SettingsGroup):
    """The review of rows by persons."""

    rows: int = setting(
        200,
        "BIOINSTRUCT_REVIEW_ROWS",
        "How many rows the review page asks about: half of them kept, the others rejected or of an "
        "uncertain category. 200 rows take about an hour. 0 asks about none.",
        unit="rows",
        ge=0,
        le=100_000,
    )
    files: Path | None = setting(
        None,
        "BIOINSTRUCT_REVIEW_FILES",
        "The folder with the filled-in reviews (JSON or CSV).",
        unit="folder",
        empty="`<data dir>/review/filled`",
    )
