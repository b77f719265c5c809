"""The check of `data_worth`: it warns of harm, never blocks, and says when it judged nothing."""

import pytest

from bioinstruct_dagster.findings.worth.checks import refresh_did_no_harm
from bioinstruct_dagster_tests.findings.worth.refreshed_store import filled

FINGERPRINT = "f" * 64


@pytest.fixture
def tested(store):
    """Stores the verdict on a refresh, and the data set that it was tested in."""

    def put(verdict, fingerprint=FINGERPRINT):
        store.replace({})
        values = {
            "items": "before", "verdict": verdict, "difference": 0.2, "ci_low": 0.1, "ci_high": 0.3,
            "reason": "held-out loss", "n": 40, "seeds": 3, "detectable": 0.14,
            "refresh": "run 1a2b3c4d",
            "dataset_fingerprint": FINGERPRINT,
        }  # fmt: skip
        placed = {"row_id": "a", "split": "train", "dataset_fingerprint": fingerprint}
        store.replace(
            {
                "data_worth": filled(store, "data_worth", [values]),
                "hf_dataset": filled(store, "hf_dataset", [placed]),
            }
        )
        return refresh_did_no_harm(store)

    return put


def test_a_worse_refresh_is_warned_of_and_blocks_nothing(tested):
    found = tested("worse")
    assert not found.passed
    assert found.severity.value == "WARN"
    assert "+0.200 nats per token [0.100, 0.300]" in found.description
    assert "run 1a2b3c4d" in found.description


@pytest.mark.parametrize("verdict", ["better", "tied"])
def test_a_better_or_tied_refresh_passes(tested, verdict):
    assert tested(verdict).passed


def test_a_rebuilt_data_set_is_not_judged(tested):
    found = tested("tied", fingerprint="0" * 64)
    assert not found.passed
    assert found.description.startswith("Not judged: The data set was rebuilt")


def test_without_a_trial_nothing_is_judged(store):
    store.replace({})
    found = refresh_did_no_harm(store)
    assert found.description.startswith("Not judged: No refresh was tested. Start the job")
