"""The verdict on a refresh, from the held-out losses of both arms and from the fit of its outputs.

Why the loss, and not a score of answers: the loss changes with every token of every held-out row,
and both arms are compared on the same rows. So a hundred rows tell differences of a few hundredths
of a nat apart. An accuracy on a hundred items tells 10 points and more.

Belongs here: the difference in loss, its interval, and the three words. Does not: the interval's
formula (evaluation.statistics.over_seeds), training the arms (findings.worth.trial), or the fit
(findings.worth.fit).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from bioinstruct_dagster.evaluation.metrics.measured import Measured
from bioinstruct_dagster.evaluation.statistics.over_seeds import SeedsEstimate, over_seeds
from bioinstruct_dagster.findings.comparisons.intervals import Interval, detectable
from bioinstruct_dagster.findings.worth.fit import FitComparison

Verdict = Literal["better", "tied", "worse"]
BY_LOSS, BY_FIT = "held-out loss", "fit of outputs"


@dataclass(frozen=True)
class LossComparison:
    """The held-out loss with rows of the refresh, minus that without, in nats per token.

    Attributes:
        found: the mean over seeds, with an interval for other rows and other seeds.
        loss_without: the mean over seeds without rows of the refresh.
        loss_with: the mean over seeds with them.
        by_seed: the difference of each seed.
        detectable: a difference of this size is found with a power of about 80 %, by the quantiles
            of the normal distribution: those of t, which the interval uses, have a smaller ratio.
            But with few seeds, the width itself varies much from trial to trial.
    """

    found: SeedsEstimate
    loss_without: float
    loss_with: float
    by_seed: tuple[float, ...]
    detectable: float | None

    @property
    def verdict(self) -> Verdict:
        """`worse` or `better` if the whole interval is on one side of zero, else `tied`."""
        estimate = self.found.estimate
        if estimate.ci_low is not None and estimate.ci_low > 0:
            return "worse"
        if estimate.ci_high is not None and estimate.ci_high < 0:
            return "better"
        return "tied"


def verdict_of(losses: LossComparison, fits: FitComparison) -> tuple[Verdict, str]:
    """The verdict on a refresh, and what it rests on.

    A refresh whose outputs do not fit their prompts is worse, whatever the loss says: a small model
    does not notice it, and a large one would learn it.

    Args:
        losses: on held-out rows from before the refresh.
        fits: of the outputs.
    """
    if losses.verdict == "worse":
        return "worse", f"{BY_LOSS}, {BY_FIT}" if fits.is_worse else BY_LOSS
    if fits.is_worse:
        return "worse", BY_FIT
    return losses.verdict, BY_LOSS


def compared_losses(
    without: Sequence[Measured], with_added: Sequence[Measured], items: Collection[str]
) -> LossComparison | None:
    """Compare both arms on some held-out rows, seed by seed and row by row.

    Args:
        without: the losses of the adapters trained without rows of the refresh, one for each seed.
        with_added: those of the adapters trained with them, in the same order of seeds.
        items: the names of the held-out rows.

    Returns:
        None if no adapter has a loss of any of the rows.
    """
    shared = set(items).intersection(*(set(one.item_ids) for one in (*without, *with_added)))
    if not shared:
        return None
    first, second = ([one.for_items(shared) for one in arm] for arm in (without, with_added))
    found = over_seeds(second, {}, first)
    estimate = found.estimate
    losses = [[_loss(one) for one in arm] for arm in (first, second)]
    return LossComparison(
        found,
        fmean(losses[0]),
        fmean(losses[1]),
        tuple(after - before for before, after in zip(*losses, strict=True)),
        detectable(Interval(estimate.score, estimate.ci_low, estimate.ci_high)),
    )


def _loss(measured: Measured) -> float:
    """Nats per token of all rows together."""
    above, below = measured.values.sum(axis=0)
    return float(above / below)
