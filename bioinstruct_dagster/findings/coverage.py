"""What of a design is scored, and how to score the rest.

Belongs here: the sentences. Does not: the experiments of a design (families).
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from bioinstruct_dagster.findings.families import Family
from bioinstruct_dagster.models.experiments import Experiment
from bioinstruct_dagster.models.experiments.names import partition_key

_WHOLE = " are scored."
_MOST_NAMED = 12  # experiments in a sentence


def coverage(
    asset: str,
    planned: Sequence[Family],
    scored: Collection[Experiment],
    empty: str,
    train_rows: Callable[[Sequence[str]], int] | None = None,
) -> list[str]:
    """What of a design is scored, and how to score the rest, a line for each base model.

    A base model none of whose experiments is scored is not named, unless none at all is.

    Args:
        asset: the asset's name.
        planned: the families of the design.
        scored: all experiments with scores.
        empty: what to say if the experiment file has no such experiments.
        train_rows: the number of training rows of some categories. With it, sizes that the data set
            does not reach are not asked for.
    """
    if not planned:
        return [f"{asset}: {empty}"]
    lines = []
    for base_model in dict.fromkeys(one.base_model for one in planned):
        mine = [one for one in planned if one.base_model == base_model]
        whole = [one for one in mine if any(each in scored for each in one.experiments)]
        if not whole:
            continue
        too_large = [
            one
            for one in mine
            if train_rows
            and one.rows
            and one not in whole
            and train_rows(one.categories) < one.rows
        ]
        reached = [each for one in mine if one not in too_large for each in one.experiments]
        missing = [each for each in reached if each not in scored]
        line = f"{asset}: {len(whole)} of {len(mine)} recipes of {base_model} are scored"
        if missing:
            line += (
                f", and {len(reached) - len(missing)} of {len(reached)} experiments with their "
                f"seeds. Score the rest by the job study: experiments: [{_named(missing)}]"
            )
        if too_large:
            line += f". {len(too_large)} need more training rows than the data set has"
        lines.append(line + ".")
    if not lines:
        first = planned[0].experiments[0]
        lines.append(
            f"{asset}: no experiment of it is scored. Train and score some by the job study, such "
            f'as experiments: ["{partition_key(first)}"].'
        )
    return lines


def is_whole(line: str) -> bool:
    """Whether a line of `coverage` says that nothing of a design is missing."""
    return line.endswith(_WHOLE)


def _named(experiments: Iterable[Experiment]) -> str:
    names = [f'"{partition_key(one)}"' for one in experiments]
    more = f", and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
