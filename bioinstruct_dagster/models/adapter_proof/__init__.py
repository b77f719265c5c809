"""The proof that an adapter acts: its files, its weights, and the logits that it changes."""

from bioinstruct_dagster.models.adapter_proof.canaries import CanaryLogits, read_canaries
from bioinstruct_dagster.models.adapter_proof.expected import check_targets
from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError
from bioinstruct_dagster.models.adapter_proof.proof import Proof, check_folder, open_proven, prove

__all__ = [
    "AdapterFaultError",
    "CanaryLogits",
    "Proof",
    "check_folder",
    "check_targets",
    "open_proven",
    "prove",
    "read_canaries",
]
