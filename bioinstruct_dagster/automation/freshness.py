"""How old the data set may become before Dagster's pages say that it is overdue.

Belongs here: the freshness policy of the assets that `weekly_refresh` materializes. Does not: the
schedule (schedules).
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

# The refresh runs each week. A day is left for a run that starts late or takes long. After the
# second missed refresh, somebody should look why.
WARN_AFTER = timedelta(days=8)
FAIL_AFTER = timedelta(days=15)


def with_freshness(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The assets with the policy: a warning after 8 days, overdue after 15 days.

    Dagster's daemon evaluates the policy. It only shows a state: no run starts by it, and no run is
    held back.

    Args:
        assets: those of the data set, from the seed tasks to `hf_dataset`.
    """
    policy = dg.FreshnessPolicy.time_window(fail_window=FAIL_AFTER, warn_window=WARN_AFTER)
    return [
        asset.map_asset_specs(lambda spec: spec.replace_attributes(freshness_policy=policy))
        for asset in assets
    ]
