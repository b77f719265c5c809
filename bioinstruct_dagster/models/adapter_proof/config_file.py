"""The config file of an adapter: that it says what the recipe says, and nothing else.

peft builds an adapter from this file, so a wrong value gives another adapter with the same weights:
another alpha scales what it does, DoRA computes something else, and some values load code or change
the base model. Belongs here: each field of `adapter_config.json`. Does not: the weights
(weights_file).
"""

import json
import re
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.adapter_proof.expected import ExpectedAdapter
from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError
from bioinstruct_dagster.models.linear_layers import targeted, turned

# The version of peft changes nothing by itself. The base model is compared with the result's.
_FREE = {"peft_version", "base_model_name_or_path"}
_CODE = {"auto_mapping", "trust_remote_code", "auto_map", "custom_modules", "parent_library"}
_NAMES = {"r": "rank", "lora_alpha": "alpha", "use_rslora": "rsLoRA"}


def read_config(path: Path) -> dict[str, Any]:
    """The values of the config file.

    Raises:
        AdapterFaultError: the file is no JSON object, or names another method than LoRA, or code.
    """
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterFaultError(
            "config is no JSON", path, f"it can't be read ({type(error).__name__})."
        ) from None
    if not isinstance(config, dict):
        raise AdapterFaultError("config is no JSON", path, "it is no JSON object.")
    for name in _CODE & config.keys():
        if config[name]:
            raise AdapterFaultError(
                "remote code",
                path,
                f"{name} is {_shown(config[name])}, which would load other code.",
            )
    if config.get("peft_type") != "LORA":
        raise AdapterFaultError(
            "other method",
            path,
            f"peft_type is {_shown(config.get('peft_type'))}, not 'LORA'. "
            "This project trains and scores LoRA adapters.",
        )
    return config


def refuse_other_config(
    path: Path, config: dict[str, Any], expected: ExpectedAdapter, model: Any
) -> None:
    """Check that each field of the config file has the value that the recipe gives it.

    Args:
        path: the file, for messages.
        config: its values.
        expected: the values of the recipe.
        model: the base model, by which `target_modules` are compared.

    Raises:
        AdapterFaultError: names the first field with another value.
    """
    from peft import LoraConfig

    usual = json.loads(json.dumps(LoraConfig(task_type="CAUSAL_LM").to_dict(), default=sorted))
    usual |= {"inference_mode": True, "lora_dropout": expected.dropout}  # as peft saves them
    wanted = {
        "r": expected.rank,
        "lora_alpha": expected.alpha,
        "use_rslora": expected.rslora,
    }
    for name, value in wanted.items():
        if config.get(name) != value or type(config.get(name)) is not type(value):
            raise AdapterFaultError(
                f"wrong {_NAMES[name]}",
                path,
                f"{name} is {_shown(config.get(name))}, but the adapter's recipe says {value}.",
            )
    if config.get("use_dora"):
        raise AdapterFaultError("other method", path, "use_dora is set: this adapter is DoRA.")
    # peft sets it for GPT-2's layers, which keep their weights turned. If an adapter has layers of
    # both kinds, the last one decides.
    of_layers = sorted(turned(model, expected.modules(model)))
    for name in sorted(config.keys() - wanted.keys() - _FREE - {"target_modules"}):
        if name not in usual:
            raise AdapterFaultError(
                "unknown config field", path, f"{name[:60]} is no field of LoRA's config."
            )
        allowed = of_layers if name == "fan_in_fan_out" else [usual[name]]
        if config[name] not in allowed or isinstance(config[name], bool) is not isinstance(
            allowed[0], bool
        ):
            raise AdapterFaultError(
                "other config",
                path,
                f"{name} is {_shown(config[name])}, but training leaves it {allowed[0]!r}.",
            )
    _refuse_other_targets(path, config.get("target_modules"), expected, model)


def _refuse_other_targets(path: Path, names: Any, expected: ExpectedAdapter, model: Any) -> None:
    is_names = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not is_names and not isinstance(names, str):
        raise AdapterFaultError(
            "wrong modules", path, f"target_modules is {_shown(names)}, not a list of names."
        )
    try:
        found = targeted(model, names if isinstance(names, str) else tuple(names)).keys()
    except re.error:
        raise AdapterFaultError(
            "wrong modules", path, f"target_modules is {_shown(names)}, which is no pattern."
        ) from None
    wanted = expected.modules(model).keys()
    if found != wanted:
        raise AdapterFaultError(
            "wrong modules",
            path,
            f"by target_modules, the adapter has {len(found)} layers on this base model; "
            f"by its recipe, it has {len(wanted)}.",
        )


def _shown(value: Any) -> str:
    return repr(value)[:80]
