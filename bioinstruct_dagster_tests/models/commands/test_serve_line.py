"""The line that serves adapters: quoted for a shell, with the rank that vLLM takes."""

import shlex
from dataclasses import replace

import pytest

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapter_proof import AdapterFaultError
from bioinstruct_dagster.models.adapters import WEIGHTS_FILE
from bioinstruct_dagster.models.commands.found_adapter import AdapterCommandError, find_adapter
from bioinstruct_dagster.models.commands.serve_line import (
    RANKS,
    _base_path,
    _module,
    _served_rank,
    serve_line,
)
from bioinstruct_dagster_tests.models.commands.conftest import EXPERIMENT


@pytest.fixture
def found(trained):
    return find_adapter(trained, EXPERIMENT)


def test_the_line_serves_base_and_adapter(found, tiny_base):
    lines = []
    words = shlex.split(serve_line([found], lines.append))
    assert words == [
        "vllm", "serve", tiny_base.path, "--enable-lora", "--max-lora-rank", "8",
        "--max-loras", "1", "--lora-modules", f"{EXPERIMENT}={found.folder}",
    ]  # fmt: skip
    assert any("no model was loaded" in line for line in lines)
    assert any("rehearsal" in line for line in lines)
    assert any("prompt alpaca/1" in line for line in lines)


def test_no_model_is_loaded(found, monkeypatch):
    monkeypatch.setattr(base_models, "check", None)
    assert serve_line([found], lambda _: None)


def test_an_adapter_that_was_changed_or_has_another_base_is_refused(copied):
    found = find_adapter(copied, EXPERIMENT)
    other = found.base.model_copy(update={"pretraining_steps": 4})
    with pytest.raises(AdapterFaultError, match="wrong base"):
        serve_line([replace(found, base=other)], lambda _: None)
    weights = found.folder / WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(AdapterFaultError, match="changed weights"):
        serve_line([found], lambda _: None)


def test_a_base_model_that_was_moved_is_served_from_where_it_lies(found, tmp_path):
    result = {"base_path": f"/no/such/{tmp_path.name}"}
    moved = replace(found, models_dir=tmp_path.parent)
    assert _base_path(moved, result) == str(tmp_path)
    with pytest.raises(AdapterCommandError, match=r"is not at .*Put its folder back"):
        _base_path(found, result)


def test_several_adapters_of_a_base_share_one_line(found):
    other = replace(found, experiment="rehearsal-llama|other")
    words = shlex.split(serve_line([found, other], lambda _: None))
    assert words[words.index("--max-loras") + 1] == "2"
    assert words[-2:] == [f"{EXPERIMENT}={found.folder}", f"rehearsal-llama|other={found.folder}"]


def test_adapters_of_several_bases_are_refused(found):
    other = replace(found, experiment="llama-2-7b|all")
    with pytest.raises(AdapterCommandError, match=r"llama-2-7b, rehearsal-llama"):
        serve_line([found, other], lambda _: None)


def test_the_context_of_the_experiment_file_is_kept(found):
    base = found.base.model_copy(update={"context": 512})
    words = shlex.split(serve_line([replace(found, base=base)], lambda _: None))
    assert words[words.index("--max-model-len") + 1] == "512"


@pytest.mark.parametrize(("rank", "served"), [(1, 1), (2, 8), (8, 8), (17, 32), (512, 512)])
def test_the_rank_is_rounded_up_to_one_that_vllm_takes(rank, served):
    assert _served_rank(rank) == served
    assert served in RANKS


def test_a_rank_above_all_is_refused():
    with pytest.raises(AdapterCommandError, match="513"):
        _served_rank(513)


def test_a_path_that_would_break_the_form_is_given_as_json(found):
    from pathlib import Path

    assert _module("a|b", Path("/x y/z")) == "a|b=/x y/z"
    assert _module("a|b", Path("/x=1/z")) == '{"name": "a|b", "path": "/x=1/z"}'
    assert _module("a|b", Path("/x,1/z")) == '{"name": "a|b", "path": "/x,1/z"}'
