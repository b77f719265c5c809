"""The results of asset checks: judged, or not judged and why.

A check that could not judge is shown as a warning whose description begins with "Not judged". So a
green check always means that something was compared and found right. Belongs here: the two forms of
a result, and telling them apart. Does not: what a check compares, which each stage's module
`checks` says.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

NOT_JUDGED = "Not judged"
_JUDGED, _APPLIES = "judged", "applies"  # the names in the metadata


def judged(
    passed: bool,  # noqa: FBT001  # the result itself
    metadata: Mapping[str, Any] | None = None,
    *,
    warns: bool = True,
    description: str | None = None,
) -> dg.AssetCheckResult:
    """The result of a check that has compared what it is about.

    Args:
        passed: whether it found no fault.
        metadata: what the UI shows of it.
        warns: whether a fault is a warning. Otherwise it is an error, which ends a run if the check
            blocks.
        description: a sentence about the result.
    """
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        description=description or None,
        metadata={**(metadata or {}), _JUDGED: True},
    )


def not_judged(
    why: str, metadata: Mapping[str, Any] | None = None, *, applies: bool = True
) -> dg.AssetCheckResult:
    """The result of a check that had nothing to compare, or too little. It warns and never blocks.

    Args:
        why: a sentence that says what was missing, and what to do about it.
        metadata: what the UI shows of it.
        applies: whether the data has anything that the check is about. A set is published over a
            check that does not apply, and not over one that lacked what it compares with.
    """
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{NOT_JUDGED}: {why}",
        metadata={**(metadata or {}), _JUDGED: False, **({} if applies else {_APPLIES: False})},
    )


def was_judged(metadata: Mapping[str, Any]) -> bool:
    """Whether a result that Dagster has stored is of a check that compared something.

    Args:
        metadata: of the stored result.
    """
    return _is_true(metadata, _JUDGED)


def did_apply(metadata: Mapping[str, Any]) -> bool:
    """Whether the data had anything that the check of a stored result is about.

    Args:
        metadata: of the stored result.
    """
    return _is_true(metadata, _APPLIES)


def _is_true(metadata: Mapping[str, Any], name: str) -> bool:
    """The truth value of this name; true where the result does not say."""
    stored = metadata.get(name)
    return stored is None or bool(getattr(stored, "value", stored))
