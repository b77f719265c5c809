"""BERTScore: how well each word of an answer finds a like one in the reference, and the reverse.

It needs a model, so it runs in a process of its own (`bertscores_of`), which loads torch and no
store. Belongs here: the score (Zhang et al. 2020, "BERTScore: evaluating text generation with
BERT"). Does not: other metrics (evaluation.metrics.texts).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError

BATCH_TEXTS = 32
LONGEST = 512  # tokens of a text; more are cut off
_MODULE = "bioinstruct_dagster.evaluation.metrics.bertscore"
Pair = tuple[str, str]


class BertScoreError(StatedError):
    """BERTScore can't be computed; the message says why."""


def bertscores_of(model_folder: Path, pairs: Mapping[str, Pair]) -> dict[str, float]:
    """The F1 of BERTScore of each pair of answer and reference, computed in a process of its own.

    Args:
        model_folder: of an encoder, such as PubMedBERT, as transformers saved it.
        pairs: answer and reference by item.

    Raises:
        BertScoreError: the folder holds no model, or the process failed.
    """
    if not (model_folder / "config.json").is_file():
        raise BertScoreError(
            f"{model_folder} holds no model: it has no config.json. Give the folder of an encoder "
            "that transformers saved, or leave BERTScore out."
        )
    if not pairs:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "pairs.json"), Path(folder, "scores.json")
        given.write_text(json.dumps(list(pairs.values())), "utf-8")
        command = [sys.executable, "-m", _MODULE, str(model_folder), str(given), str(found)]
        done = subprocess.run(  # noqa: S603 (the command is made here)
            command,
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        if done.returncode != 0:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise BertScoreError(
                f"BERTScore with {model_folder} failed: {last}. Check the folder of the model."
            )
        scores = json.loads(found.read_text("utf-8"))
    return dict(zip(pairs, map(float, scores), strict=True))


def score_pairs(model: Any, tokenizer: Any, pairs: Sequence[Pair]) -> list[float]:
    """The F1 of BERTScore of each pair, with the last layer's vectors.

    Precision is the mean, over the answer's tokens, of the largest cosine to any token of the
    reference; recall is the reverse. Special tokens do not count. The scores are neither rescaled
    by a baseline nor weighted by frequency, so only scores of the same model compare.

    Args:
        model: an encoder of transformers, in evaluation mode.
        tokenizer: of the model.
        pairs: answer and reference. A pair with an empty side has the score 0.
    """
    texts = list(dict.fromkeys(text for pair in pairs for text in pair if text.strip()))
    vectors = _vectors(model, tokenizer, texts)
    return [
        _f1(vectors[answer], vectors[reference])
        if answer in vectors and reference in vectors
        else 0.0
        for answer, reference in pairs
    ]


def _vectors(model: Any, tokenizer: Any, texts: Sequence[str]) -> dict[str, Any]:
    """By text, the unit vectors of its tokens, of shape (tokens, width)."""
    import torch

    found = {}
    # Texts of similar length need the least padding.
    ordered = sorted(texts, key=len)
    longest = min(LONGEST, getattr(model.config, "max_position_embeddings", LONGEST))
    for start in range(0, len(ordered), BATCH_TEXTS):
        batch = ordered[start : start + BATCH_TEXTS]
        encoded = tokenizer(
            batch,
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=longest,
            return_special_tokens_mask=True,
        )
        special = encoded.pop("special_tokens_mask").bool()
        with torch.inference_mode():
            hidden = model(**encoded).last_hidden_state.float()  # (batch, tokens, width)
        units = torch.nn.functional.normalize(hidden, dim=-1)
        for row, text in enumerate(batch):
            found[text] = units[row][~special[row]]
    return {text: vectors for text, vectors in found.items() if len(vectors)}


def _f1(answer: Any, reference: Any) -> float:
    cosines = answer @ reference.T  # (answer's tokens, reference's tokens)
    precision = float(cosines.max(dim=1).values.mean())
    recall = float(cosines.max(dim=0).values.mean())
    total = precision + recall
    return 2 * precision * recall / total if total > 0 else 0.0


def _main(model_folder: str, given: str, found: str) -> None:
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder, trust_remote_code=False)
    model = AutoModel.from_pretrained(
        model_folder, trust_remote_code=False, use_safetensors=True
    ).eval()
    pairs = [(str(pair[0]), str(pair[1])) for pair in json.loads(Path(given).read_text("utf-8"))]
    Path(found).write_text(json.dumps(score_pairs(model, tokenizer, pairs)), "utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
