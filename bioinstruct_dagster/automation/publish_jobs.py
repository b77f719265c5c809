"""The jobs that push to the Hugging Face hub. They are no assets, so no selection of assets pushes.

Belongs here: the run's configuration, the blocking checks, which judge what is published, and what
a run says at its end. Does not: what is pushed, and why it may not be (publishing).
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from bioinstruct_dagster.automation.jobs import judged_by
from bioinstruct_dagster.automation.run_endings import OUTCOME
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.publishing.check_states import CheckState
from bioinstruct_dagster.publishing.hub.repository import HubRepository
from bioinstruct_dagster.publishing.staged_files import listing, size_in_words, total_size
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.check_results import NOT_JUDGED, did_apply, was_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.step_failures import StepConfig, say_last, stating_errors

if TYPE_CHECKING:  # the plans load every card and score; only a run that publishes needs them
    from bioinstruct_dagster.publishing.plans import PublicationPlan

_UP_TO_DATA_SET = dg.AssetSelection.assets("hf_dataset").upstream()
_UP_TO_SCORES = dg.AssetSelection.assets("eval_scores").upstream()


class PublishConfig(StepConfig):
    """Where a publication goes."""

    repo_id: str = Field(
        description="The repository on the hub, as owner/name. It is made if it is not there."
    )
    private: bool = Field(
        default=True,
        description=(
            "Whether a new repository is private. A run never makes an existing one public, and "
            "with true it refuses to push to a public one."
        ),
    )
    revision: str = Field(
        default="main", description="The branch that gets the commit. It is made if it is missing."
    )
    commit_message: str = Field(
        default="", description="The message of the commit; made from the content if it is empty."
    )
    dry_run: bool = Field(
        default=False,
        description=(
            "List the files, their sizes and the reasons against publishing. Nothing is sent, and "
            "no token is needed."
        ),
    )


class PublishDatasetConfig(PublishConfig):
    """Where the data set goes, and its version."""

    version: str = Field(
        default="",
        description=(
            "The version, as three numbers with points, such as 1.0.0. If it is empty, it is the "
            "day of the first push of these rows, such as 2026.11.30."
        ),
    )


class PublishAdapterConfig(PublishConfig):
    """Where an adapter goes, and which one."""

    experiment: str = Field(
        description="The experiment whose adapter is published, such as smollm2-135m|all."
    )


def publish_dataset_job(
    assets: Sequence[dg.AssetsDefinition], checks: Sequence[dg.AssetChecksDefinition]
) -> dg.JobDefinition:
    """The job `publish_dataset`.

    Args:
        assets: of the project.
        checks: of the project. The blocking ones up to the data set must pass.
    """
    judging = _assets(_UP_TO_DATA_SET, assets)

    @dg.op(out=dg.Out(dg.Nothing))
    @stating_errors
    def push_dataset(
        context: dg.OpExecutionContext,
        config: PublishDatasetConfig,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
    ) -> dg.Output[None]:
        """Push the data set to the hub in one commit, or say every reason against it."""
        from bioinstruct_dagster.publishing.plans import dataset_plan

        to = HubRepository(config.repo_id, "dataset", config.private, config.revision)
        plan = dataset_plan(
            store, settings, to, checks=_states(context, checks, judging, store, settings),
            message=config.commit_message, version=config.version,
        )  # fmt: skip
        return _carried_out(context, plan, "hf_dataset", None, dry_run=config.dry_run)

    @dg.job(
        name="publish_dataset",
        description=(
            "Push the data set to the Hugging Face hub in one commit, by default to a private "
            "repository. Refused for rows of a rehearsal, over a blocking check that did not pass, "
            "without a licence, and if the files differ from the store. With dry_run it only lists "
            "what it would send."
        ),
    )
    def publish_dataset() -> None:
        push_dataset()

    return publish_dataset


def publish_adapter_job(
    matrix: ExperimentMatrix,
    assets: Sequence[dg.AssetsDefinition],
    checks: Sequence[dg.AssetChecksDefinition],
) -> dg.JobDefinition:
    """The job `publish_adapter`.

    Args:
        matrix: the experiments.
        assets: of the project.
        checks: of the project. The blocking ones up to the scores must pass.
    """
    judging = _assets(_UP_TO_SCORES, assets)

    @dg.op(out=dg.Out(dg.Nothing))
    @stating_errors
    def push_adapter(
        context: dg.OpExecutionContext,
        config: PublishAdapterConfig,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
    ) -> dg.Output[None]:
        """Push an adapter with its card and scores in one commit, or say every reason against."""
        from bioinstruct_dagster.publishing.plans import adapter_plan

        to = HubRepository(config.repo_id, "model", config.private, config.revision)
        plan = adapter_plan(
            config.experiment, store, settings, matrix, to,
            checks=_states(context, checks, judging, store, settings),
            message=config.commit_message,
        )  # fmt: skip
        return _carried_out(
            context, plan, "lora_adapter", config.experiment, dry_run=config.dry_run
        )

    @dg.job(
        name="publish_adapter",
        description=(
            "Push one adapter with its card and its scores to the Hugging Face hub in one commit, "
            "by default to a private repository. Refused for a rehearsal, for results on an older "
            "data set, over a blocking check that did not pass, if the base model's licence is not "
            "known, and if the files differ from the store. With dry_run it only lists what it "
            "would send."
        ),
    )
    def publish_adapter() -> None:
        push_adapter()

    return publish_adapter


def _carried_out(
    context: dg.OpExecutionContext,
    plan: "PublicationPlan",
    asset: str,
    partition: str | None,
    *,
    dry_run: bool,
) -> dg.Output[None]:
    """Push what is planned, or list it. The last line says what came out."""
    rows = listing(plan.files)
    shown: dict[str, Any] = {"files": dg.MetadataValue.md(markdown_table(rows))}
    for note in (*plan.notes, *plan.edited):
        context.log.warning(note)
    edited = "".join(f"\n{one}" for one in plan.edited)
    if dry_run:
        listed = "\n".join(f"  {row['file']}  {row['size']}, {row['content']}" for row in rows)
        reasons = "\n".join(f"- {one}" for one in plan.refusals)
        size = size_in_words(total_size(plan.files))
        last = (
            (
                f"Dry run: nothing was sent. {plan.to.page} would get {len(rows)} files, {size}:\n"
                f"{listed}\n"
            )
            + (f"It would be refused:\n{reasons}" if reasons else "Nothing speaks against it.")
            + edited
        )
        against = len(plan.refusals)
        shown[OUTCOME] = "Dry run: nothing was sent. " + (
            f"It would be refused: {number_of(against, 'reason')}, listed above."
            if against
            else "Nothing speaks against it. The files are listed above."
        )
        shown[OUTCOME] += edited.replace("\n", " ")
        shown["refusals"] = dg.MetadataValue.md(reasons or "none")
    else:
        pushed = plan.push(context.log.info)
        last = pushed.in_words() + edited
        shown[OUTCOME] = last.replace("\n", " ")
        shown |= {"page": dg.MetadataValue.url(pushed.page), "commit": pushed.commit}
        # The page of the asset then says where it was published.
        context.log_event(
            dg.AssetObservation(
                asset,
                description=shown[OUTCOME],
                partition=partition,
                metadata={"page": shown["page"], "commit": pushed.commit},
            )
        )
    context.log.info(last)
    say_last(last)
    return dg.Output(None, metadata=shown)


def _assets(selection: dg.AssetSelection, assets: Iterable[dg.AssetsDefinition]) -> set[str]:
    """The names of the selected assets."""
    return {key.to_user_string() for key in selection.resolve(list(assets))}


def _states(
    context: dg.OpExecutionContext,
    checks: Iterable[dg.AssetChecksDefinition],
    assets: Collection[str],
    store: Store,
    settings: Settings,
) -> list[CheckState]:
    """What each blocking check of these assets says of this store and this data folder now.

    Results that Dagster holds are not asked: its instance may hold those of another data folder,
    and nothing in a result names the folder.
    """
    states = []
    for check in checks:
        for spec in check.check_specs:
            asset = spec.asset_key.to_user_string()
            if not spec.blocking or asset not in assets:
                continue
            try:
                [found] = judged_by([check], {asset}, store, settings)
            except (StatedError, OSError, ValueError) as error:  # such as of an unreadable file
                states.append(CheckState(asset, spec.name, passed=False, stopped=str(error)))
                continue
            states.append(
                CheckState(
                    asset,
                    spec.name,
                    passed=found.passed,
                    judged=was_judged(found.metadata),
                    applies=did_apply(found.metadata),
                    said=(found.description or "").removeprefix(f"{NOT_JUDGED}: "),
                )
            )
    count = number_of(len(states), "blocking check")
    context.log.info("%s judged what is in %s.", count, settings.store.data_dir.resolve())
    return states
