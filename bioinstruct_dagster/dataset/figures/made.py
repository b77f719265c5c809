"""Makes the figures of the present data set: its table, its files, and their part of the card.

Belongs here: which files are written where. Does not: the drawings (drawn), the text of the card's
section (card_section), or Dagster (dataset.assets).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioinstruct_dagster.curation.privacy.entities.language_model import chosen_model
from bioinstruct_dagster.dataset.build import CARD_FILE, COLUMNS, FIGURES_FOLDER, read_columns
from bioinstruct_dagster.dataset.card.parts import percent
from bioinstruct_dagster.dataset.figures.card_section import figures_section, with_figures
from bioinstruct_dagster.dataset.figures.drawn import REHEARSAL, DataFigure, data_figures
from bioinstruct_dagster.dataset.figures.growth import growth_of
from bioinstruct_dagster.dataset.imperatives.diversity import VerbDiversity
from bioinstruct_dagster.dataset.written_files import rewrite
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.new_files import new_file
from bioinstruct_dagster.plots.canvas import page_picture, save
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows

PRESENT = """
    select any_value(dataset_fingerprint) as fingerprint, bool_or(rehearsal) as rehearsal
    from hf_dataset
"""
REPORTS = "reports"  # folder of the data folder
_TABLE = ("figure", "part", "label", "rows")


@dataclass(frozen=True)
class MadeFigures:
    """Figures that are in the store and in their files.

    Attributes:
        verbs: the counts of root verbs.
        drawn: the figures.
        pictures: each as a small PNG, for a page.
        files: PNG and SVG in the folder `reports`.
        fingerprint: of the counts behind them.
        summary: in a sentence or two.
    """

    verbs: VerbDiversity
    drawn: Sequence[DataFigure]
    pictures: Sequence[bytes]
    files: Sequence[Path]
    fingerprint: str
    summary: str


def make_figures(store: Store, settings: Settings) -> MadeFigures:
    """Draw the figures of the present data set and write them.

    The card gets its section on figures here and not when the data set is built: drawing takes
    several seconds, and the rows are complete without them. A new build of the set removes figures
    and section together.

    Raises:
        StatedError: there is no data set, its folder holds another version, its card can't be read,
            or the language model can't be used.
    """
    [present] = store.rows(PRESENT)
    if present["fingerprint"] is None:
        raise StatedError("There is no data set to draw. Materialize key:hf_dataset first.")
    folder, reports = settings.store.data_dir / "hf_dataset", settings.store.data_dir / REPORTS
    rows = read_columns(folder, present["fingerprint"], COLUMNS)
    model = chosen_model(settings.publishing.verb_model)
    verbs, drawn = data_figures(rows, growth_of(store), model)
    counts = [
        dict(zip(_TABLE, (one.name, *count), strict=True)) for one in drawn for count in one.counts
    ]
    marks = {"rehearsal": present["rehearsal"], "dataset_fingerprint": present["fingerprint"]}
    store.replace({"dataset_figures": [row | marks for row in counts]})
    files: list[Path] = []
    for one in drawn:
        told = f"{REHEARSAL} {one.told}" if present["rehearsal"] else one.told
        files += save(one.figure, reports, one.name, told)
        with new_file(folder / FIGURES_FOLDER / f"{one.name}.png") as path:
            path.write_bytes((reports / f"{one.name}.png").read_bytes())
    _write_section(folder / CARD_FILE, verbs, drawn)
    pictures = [page_picture(one.figure) for one in drawn]
    summary = f"{len(drawn)} figures of {len(rows):,} rows."
    if verbs.top:
        summary += (
            f" The {len(verbs.top)} most frequent root verbs have {percent(verbs.share_of_verbs)} "
            "of the rows."
        )
    return MadeFigures(verbs, drawn, pictures, files, sha256_of_rows(counts, _TABLE), summary)


def _write_section(card: Path, verbs: VerbDiversity, drawn: Sequence[DataFigure]) -> None:
    shown = [(one.title, f"{FIGURES_FOLDER}/{one.name}.png", one.told) for one in drawn]
    try:
        text = card.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StatedError(
            f"{card} can't be read ({error}), so it gets no figures. Put the file back, or "
            "materialize key:hf_dataset and key:dataset_figures again."
        ) from error
    rewrite(card, with_figures(text, figures_section(verbs, shown)))
