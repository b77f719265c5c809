"""The findings as assets without partitions, downstream of the scores of all experiments.

Belongs here: the steps, and what the UI shows of them. Does not: making a finding (made).
"""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, materialization
from bioinstruct_dagster.store.step_failures import stating_errors

# Loading the definitions stays light: what a step needs is imported where the step runs.
if TYPE_CHECKING:
    from bioinstruct_dagster.findings.made import Made, Sources

CODE_VERSION = "1"
GROUP = "findings"
NAMES = ("leaderboard", "category_ablation", "data_scaling")
MOST_PICTURE_BYTES = 400_000  # of a figure in an event of Dagster's SQLite database
# What the data version does not depend on: when a table was made.
_UNVERSIONED = {"made_at"}
_LEFT_OUT = (
    "items_fingerprint", "prompt_version", "dataset_fingerprint", "items_source", "made_at",
)  # fmt: skip
HIDDEN = {
    "leaderboard": (*_LEFT_OUT, "task_version", "adapter_sha256", "quoted_from", "clusters"),
    "category_ablation": (*_LEFT_OUT, "variant", "categories", "recipes"),
    "data_scaling": (*_LEFT_OUT, "variant", "categories", "recipes", "quoted_from"),
}
_DESCRIPTIONS = {
    "leaderboard": (
        "Experiments by tasks: scores with 95 % intervals, gains over the base model, and places."
        "\n\n"
        "Adapters are ranked on equal items only. The places of an adapter are a range: two "
        "adapters share a place unless their paired difference is significant after Holm's "
        "correction over all pairs. A quoted gain of the paper stands in a column of its own. The "
        "files are `reports/leaderboard.png`, `.svg` and `.csv`, and `reports/quoted_figures.csv`. "
        "A row that rests on fixture items, on an embedded model or on an older data set is marked."
    ),
    "category_ablation": (
        "Which training category helps which evaluation category, singles and pairs.\n\n"
        "Each cell is the difference of the adapters to the base model, averaged over the tasks of "
        "an evaluation category, or the loss on one category of the test split. Its 95 % interval "
        "counts other items and, with several seeds, other seeds. The asset uses the experiments "
        "that are scored and says which are missing. Training sets differ in size too: the rows "
        "say how many instructions each one had. The files are `reports/category_ablation.png`, "
        "`.svg` and `.csv`."
    ),
    "data_scaling": (
        "Score against number of instructions, with the spread of the seeds.\n\n"
        "A curve holds the experiments of one base model that differ in their number of rows "
        "alone. Each point is the mean over seeds, with a 95 % interval for other items and other "
        "seeds. The base model is a level beside it. Published scores are dotted levels: "
        "quotations, which are drawn beside real items only. The asset uses the experiments that "
        "are scored and says which are missing. The files are `reports/data_scaling.png`, `.svg` "
        "and `.csv`."
    ),
}


def finding_assets(matrix: ExperimentMatrix) -> list[dg.AssetsDefinition]:
    """The assets `leaderboard`, `category_ablation` and `data_scaling`.

    Args:
        matrix: the experiments.
    """
    return [_asset(name, matrix) for name in NAMES]


def _asset(name: str, matrix: ExperimentMatrix) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        description=_DESCRIPTIONS[name],
        group_name=GROUP,
        kinds={"python", "duckdb"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        deps=["eval_scores"],
    )
    @stating_errors
    def finding(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
    ) -> dg.MaterializeResult[None]:
        from bioinstruct_dagster.findings.made import Sources

        return _made(context, name, Sources.of(store, settings, matrix), settings)

    return finding


def findings_of(
    context: dg.OpExecutionContext, store: Store, settings: Settings, matrix: ExperimentMatrix
) -> Iterator[dg.AssetMaterialization]:
    """Make all findings in the step of a job that has no assets, and report each as made.

    Args:
        context: of the step.
        store: with the scores.
        settings: the data folder counts.
        matrix: the experiments.
    """
    from bioinstruct_dagster.findings.made import Sources

    sources = Sources.of(store, settings, matrix)
    for name in NAMES:
        result = _made(context, name, sources, settings)
        tags = {"dagster/code_version": CODE_VERSION}
        if result.data_version:
            tags["dagster/data_version"] = result.data_version.value
            tags["dagster/data_version_is_user_provided"] = "true"
        yield dg.AssetMaterialization(dg.AssetKey(name), metadata=result.metadata, tags=tags)


def _made(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    name: str,
    sources: "Sources",
    settings: Settings,
) -> dg.MaterializeResult[None]:
    from bioinstruct_dagster.findings.made import make

    made = make(name, sources, settings)
    for line in made.missing:
        context.log.info(line)
    columns = [column for column in (made.rows or [{}])[0] if column not in _UNVERSIONED]
    return materialization(
        context,
        sources.store,
        name,
        sha256_of_rows(made.rows, columns),
        hidden=HIDDEN[name],
        extra=_shown(made),
    )


def _shown(made: "Made") -> dict[str, Any]:
    """What the UI shows first: the summary, then the figure, what is missing, and the files."""
    shown: dict[str, Any] = {"summary": dg.MetadataValue.md(made.summary)}
    if made.picture and len(made.picture) <= MOST_PICTURE_BYTES:
        content = base64.b64encode(made.picture).decode()
        shown["figure"] = dg.MetadataValue.md(f"![figure](data:image/png;base64,{content})")
    if made.missing:
        shown["scored"] = dg.MetadataValue.md("\n\n".join(made.missing))
    shown["older_rows"] = sum(bool(row["older"]) for row in made.rows)
    for path in made.files:
        shown[f"file_{path.stem}_{path.suffix[1:]}"] = dg.MetadataValue.path(path.resolve())
    return shown
