"""Checks a model's `config.json`: a causal language model that transformers knows, not quantised.

Belongs here: what the configuration says. Does not: the weights (models.base_checks.weights), or
the tokenizer (models.base_checks.vocabulary).
"""

import difflib
import json
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.base_checks.findings import Findings

CONFIG = "config.json"
# Models without a limit on positions, such as state-space models: no row is longer than this.
NO_LIMIT = 1_000_000
# Alpaca's prompt alone takes 40 to 60 tokens, so a model of fewer positions reads hardly a row.
FEWEST_POSITIONS = 128
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length")
_OTHER_SENSES = ("vision_config", "audio_config", "vision_tower", "speech_config")


def check_configuration(folder: Path, findings: Findings) -> Any:
    """The model's transformers config; None if there is none that can be used.

    Adds each fault to the findings. No code of the model is run.
    """
    _check_adapter(folder, findings)
    values = _values(folder, findings)
    if values is None:
        return None
    config = _config(folder, values, findings)
    _check_quantised(values, findings)
    _check_task(values, config, findings)
    return config


def context_of(config: Any, wanted: int | None, findings: Findings) -> int:
    """The number of tokens that a row may have: that of the experiment file, or the model's own."""
    text = config.get_text_config()
    limit = next((n for name in _POSITIONS if (n := getattr(text, name, None))), NO_LIMIT)
    if not isinstance(limit, int) or limit < 1:
        limit = NO_LIMIT
    if limit < FEWEST_POSITIONS:
        findings.fault(
            f"It reads at most {limit} tokens. Prompt and response of a row need at least "
            f"{FEWEST_POSITIONS}. Name a model of more positions."
        )
    elif wanted and wanted > limit:
        findings.fault(
            f"`context: {wanted}` in the experiment file (BIOINSTRUCT_EXPERIMENTS) is more than "
            f"the {limit:,} tokens that "
            f"the model reads. Set it to {limit} or less, or remove it."
        )
    return min(wanted or limit, limit)


def _check_adapter(folder: Path, findings: Findings) -> None:
    path = folder / "adapter_config.json"
    if not path.exists():
        return
    try:
        own = json.loads(path.read_text("utf-8")).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError):
        own = None
    if (folder / CONFIG).exists():
        findings.fault(
            "It holds an adapter (adapter_config.json) beside a model, and transformers would "
            "apply it unasked. Move the adapter's files to another folder."
        )
    else:
        named = f" Its base model is {own!r}." if own else ""
        findings.fault(
            f"It is the folder of an adapter, not of a base model.{named} Name the base model, or "
            "merge the adapter into it first."
        )


def _values(folder: Path, findings: Findings) -> dict[str, Any] | None:
    path = folder / CONFIG
    if not path.exists():
        if not findings.faults:
            original = (folder / "params.json").exists()
            findings.fault(
                "It has the files of the model's authors (params.json), not transformers' format. "
                "Convert it by the script that transformers ships for this model."
                if original
                else f"It holds no {CONFIG}. Copy or download all files of the model."
            )
        return None
    try:
        text = path.read_text("utf-8")
        values = json.loads(text)
    except (OSError, ValueError) as error:
        findings.fault(f"{CONFIG} can't be read ({type(error).__name__}: {error}). Copy it again.")
        return None
    if not isinstance(values, dict):
        findings.fault(f"{CONFIG} holds no JSON object. Copy it again.")
        return None
    if "\\u0000" in text:
        findings.fault(f"{CONFIG} holds a NUL character. Copy it again.")
        return None
    return values


def _config(folder: Path, values: dict[str, Any], findings: Findings) -> Any:
    from transformers import CONFIG_MAPPING, AutoConfig

    kind = values.get("model_type")
    own_code = bool(values.get("auto_map"))
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        if own_code:
            findings.fault(
                f"It needs code of its own (`auto_map` in {CONFIG}), because transformers does not "
                f"know the model type {kind!r}. Code of a model is never run "
                "(trust_remote_code=False). Name a model that transformers knows."
            )
        elif kind is None:
            findings.fault(
                f"{CONFIG} has no `model_type`. Copy or download all files of the model."
            )
        else:
            near = difflib.get_close_matches(str(kind), list(CONFIG_MAPPING), 1)
            meant = f" Is {near[0]!r} meant?" if near else ""
            findings.fault(
                f"The model type {kind!r} of {CONFIG} is unknown to the installed transformers."
                f"{meant} Install a newer transformers if the model is newer."
            )
        return None
    if own_code:
        findings.mend(
            "it brings code of its own (`auto_map`), which is not run; transformers' own "
            f"{kind!r} is used"
        )
    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # noqa: BLE001  # a config's own checks raise errors of any type
        findings.fault(
            f"transformers does not accept {CONFIG} ({type(error).__name__}: {error}). Correct it."
        )
        return None


def _check_quantised(values: dict[str, Any], findings: Findings) -> None:
    quantised = values.get("quantization_config")
    if not quantised:
        return
    method = quantised.get("quant_method") if isinstance(quantised, dict) else None
    hint = (
        " and `quantization: nf4` in the recipe, which quantises it when it is loaded"
        if method in {"bitsandbytes", "bitsandbytes_4bit", "bitsandbytes_8bit"}
        else ", with `quantization: nf4` in the recipe if memory is short"
    )
    findings.fault(
        f"Its weights are quantised ({method or 'unknown method'}), so adapters are not trained on "
        f"them. Name the model that it was made from{hint}."
    )


def _check_task(values: dict[str, Any], config: Any, findings: Findings) -> None:
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    kind = values.get("model_type")
    names = values.get("architectures")
    named = [str(name) for name in names] if isinstance(names, list) else []
    what = f"{named[0] if named else kind}"
    if values.get("is_encoder_decoder") or getattr(config, "is_encoder_decoder", False):
        findings.fault(
            f"It is an encoder-decoder model ({what}). Adapters are trained on causal language "
            "models only. Name a decoder such as a Llama."
        )
        return
    senses = [name for name in _OTHER_SENSES if values.get(name)]
    if senses:
        findings.fault(
            f"It reads more than text ({what} with {senses[0]}). Name a model that reads text only."
        )
        return
    if config is None:
        return
    causal, masked = (
        type(config) in MODEL_FOR_CAUSAL_LM_MAPPING,
        type(config) in (MODEL_FOR_MASKED_LM_MAPPING),
    )
    bidirectional = masked and not values.get("is_decoder", False)
    other_head = named and not any(
        name.endswith(("ForCausalLM", "LMHeadModel", "Model")) for name in named
    )
    if not causal:
        findings.fault(
            f"It is no language model that generates text ({what}). Name a causal language model "
            "such as a Llama."
        )
    elif bidirectional:
        findings.fault(
            f"It is not causal: {what} reads the text on both sides of a word, as BERT does. Name "
            "a causal language model such as a Llama."
        )
    elif other_head:
        findings.fault(
            f"It was saved for another task ({what}), so it has no trained head that predicts the "
            "next token. Name the causal language model that it was made from."
        )
