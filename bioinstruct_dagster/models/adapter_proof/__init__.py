"""The proof that an adapter acts: its files, its weights, and the logits that it changes."""

from bioinstruct_dagster.models.adapter_proof.canaries import CanaryLogits, read_canaries
from bioinstruct_dagster.models.adapter_proof.expected import check_targets
from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError
from bioinstruct_dagster.models.adapter_proof.proof import (
    Proof,
    check_folder,
    check_trained,
    open_proven,
    prove,
)
from bioinstruct_dagster.models.adapter_proof.result_file import stored_expectation

__all__ = [
    "AdapterFaultError",
    "CanaryLogits",
    "Proof",
    "check_folder",
    "check_targets",
    "check_trained",
    "open_proven",
    "prove",
    "read_canaries",
    "stored_expectation",
]
