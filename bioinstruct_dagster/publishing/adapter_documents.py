"""The documents of an adapter as they are published: with its address and its base model's.

Belongs here: filling them in. Does not: the documents themselves (training.card,
evaluation.exchange), or which files go to the hub (adapter_files).
"""

import json
import re
from typing import Any

import yaml

from bioinstruct_dagster.evaluation.exchange.every_eval_ever import BENCHMARK, UNPUBLISHED
from bioinstruct_dagster.publishing.hub.repository import DEFAULT_BRANCH, HubRepository

_LOCAL_ADAPTER = re.compile(r"PeftModel\.from_pretrained\(base, '[^'\n]*'\)")
_LOCAL_NOTE = "Run it in the folder of outputs (BIOINSTRUCT_DATA_DIR), or correct the paths.\n\n"
_LOCAL_BASE = re.compile(r"(Auto\w+)\.from_pretrained\('models/[^'\n]*'\)")
_MODEL_CARD = "Model card"  # what the hub calls a source of this kind


def published_adapter_card(
    card: str, to: HubRepository, base: str | None, revision: str | None
) -> str:
    """The card whose code loads adapter and base model from the hub.

    Args:
        card: as it is in the folder.
        to: the repository.
        base: the base model's id on the hub; None if it is a folder, which the card keeps.
        revision: of the base model.
    """
    branch = f", revision={to.branch!r}" if to.branch != DEFAULT_BRANCH else ""
    card = _LOCAL_ADAPTER.sub(lambda _: f"PeftModel.from_pretrained(base, {to.id!r}{branch})", card)
    if base:
        pinned = f", revision={revision!r}" if revision else ""
        card = _LOCAL_BASE.sub(
            lambda found: f"{found[1]}.from_pretrained({base!r}{pinned})", card
        ).replace(_LOCAL_NOTE, "")
    return card


def published_config(config: str, base: str | None, revision: str | None) -> str:
    """The adapter's configuration, which names the base model by its id on the hub.

    Without an id, it is unchanged.
    """
    values = json.loads(config)
    if not base or values.get("base_model_name_or_path") == base:
        return config
    named = {"base_model_name_or_path": base} | ({"revision": revision} if revision else {})
    return json.dumps(values | named, indent=2, sort_keys=True) + "\n"


def published_hub_result(text: str, to: HubRepository) -> str:
    """A file of `.eval_results` whose entries name the adapter's page as their source."""
    entries = yaml.safe_load(text)
    for entry in entries:
        entry["source"] = {"url": to.page, "name": _MODEL_CARD}
    return yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)


def published_document(text: str, to: HubRepository) -> dict[str, Any]:
    """A document of every-eval-ever that names the adapter by its id on the hub.

    A document of a base model that is on the hub is unchanged.
    """
    document: dict[str, Any] = json.loads(text)
    model = document["model_info"]
    if not model["id"].startswith(f"{UNPUBLISHED}/") or _is_of_base(document):
        return document
    owner, _, name = to.id.partition("/")
    details = {"model_availability": "unknown" if to.private else "open_weights"}
    document["model_info"] = {
        "name": name,
        "id": to.id,
        "developer": owner,
        "additional_details": model.get("additional_details", {}) | details,
    }
    document["evaluation_id"] = (
        f"{BENCHMARK}/{to.id.replace('/', '_')}/{document['evaluation_timestamp']}"
    )
    return document


def _is_of_base(document: dict[str, Any]) -> bool:
    return bool(document["source_metadata"]["evaluator_relationship"] != "first_party")
