"""`config.json`: only causal language models that transformers knows, whole and not quantised."""

import json
import os
import shutil

import pytest

from bioinstruct_dagster_tests.models.base_checks.conftest import check, edit_json, refusal


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00", '{"a": "\\u0000"}', b"\xff\xfe\x00"])
def test_a_broken_file_is_named(folder, content):
    (folder / "config.json").write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )
    assert "config.json" in refusal(folder)


def test_a_missing_file_is_named(folder):
    (folder / "config.json").unlink()
    assert "It holds no config.json" in refusal(folder)


def test_the_authors_own_format_is_recognised(folder):
    (folder / "config.json").rename(folder / "params.json")
    assert "params.json" in refusal(folder)


def test_an_unknown_model_type_names_its_neighbour(folder):
    edit_json(folder / "config.json", model_type="lama")
    message = refusal(folder)
    assert "'lama'" in message
    assert "Is 'llama' meant?" in message


def test_values_that_transformers_refuses_are_named(folder):
    edit_json(folder / "config.json", hidden_size="many")
    assert "hidden_size" in refusal(folder)


OWN_CODE = {"AutoModelForCausalLM": "modeling_own.OwnModel"}


def test_a_model_that_needs_its_own_code_is_refused_and_the_code_does_not_run(folder):
    edit_json(folder / "config.json", model_type="own", auto_map=OWN_CODE)
    mark = folder.parent / "ran"
    (folder / "modeling_own.py").write_text(f"open({str(mark)!r}, 'w')")
    assert "never run" in refusal(folder)
    assert not mark.exists()


def test_code_beside_a_known_model_is_not_run_and_the_log_says_so(folder):
    edit_json(folder / "config.json", auto_map=OWN_CODE)
    mark = folder.parent / "ran"
    (folder / "modeling_own.py").write_text(f"open({str(mark)!r}, 'w')")
    checked, lines = check(folder)
    checked.load(lines.append)
    assert len(lines) == 1
    assert "not run" in lines[0]
    assert not mark.exists()


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes", "compressed-tensors", "fp8"])
def test_quantised_weights_are_refused_with_the_way_out(folder, method):
    edit_json(folder / "config.json", quantization_config={"quant_method": method, "bits": 4})
    message = refusal(folder)
    assert f"quantised ({method})" in message
    assert "`quantization: nf4`" in message


def save(model, folder):
    """The model in place of the folder's own, beside its tokenizer."""
    (folder / "model.safetensors").unlink()
    (folder / "generation_config.json").unlink()
    model.save_pretrained(folder)


def other_models():
    from transformers import (
        BartConfig,
        BartForConditionalGeneration,
        BertConfig,
        BertForMaskedLM,
        BertModel,
        LlamaForSequenceClassification,
        T5Config,
        T5ForConditionalGeneration,
        ViTConfig,
        ViTModel,
    )

    from bioinstruct_dagster_tests.models.base_checks.conftest import tiny_config

    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    bert = BertConfig(vocab_size=300, intermediate_size=16, **small)
    return {
        "bert": (BertForMaskedLM(bert), "not causal"),
        "bare bert": (BertModel(bert), "not causal"),
        "t5": (
            T5ForConditionalGeneration(
                T5Config(vocab_size=300, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
            ),
            "encoder-decoder",
        ),
        "bart": (
            BartForConditionalGeneration(
                BartConfig(
                    vocab_size=300, d_model=16, encoder_layers=1, decoder_layers=1,
                    encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
                    decoder_ffn_dim=16,
                )
            ),
            "encoder-decoder",
        ),
        "vision": (
            ViTModel(ViTConfig(intermediate_size=16, image_size=32, **small)),
            "no language model",
        ),
        "classifier": (LlamaForSequenceClassification(tiny_config()), "another task"),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["bert", "bare bert", "t5", "bart", "vision", "classifier"])
def test_models_that_do_not_generate_text_are_refused(folder, kind):
    model, words = other_models()[kind]
    save(model, folder)
    assert words in refusal(folder)


def test_a_model_that_also_reads_images_is_refused(folder):
    edit_json(folder / "config.json", vision_config={"hidden_size": 4})
    assert "reads more than text" in refusal(folder)


def test_an_adapter_as_base_names_its_base(folder, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "a/b"}))
    shutil.copy(folder / "model.safetensors", adapter / "adapter_model.safetensors")
    message = refusal(adapter)
    assert "the folder of an adapter" in message
    assert "'a/b'" in message


def test_an_adapter_beside_a_model_is_refused(folder):
    (folder / "adapter_config.json").write_text("{}")
    assert "beside a model" in refusal(folder)


def test_few_positions_are_refused_and_the_context_is_the_smaller_one(folder):
    assert check(folder)[0].context == 256
    assert check(folder, context=200)[0].context == 200
    assert "more than the 256 tokens" in refusal(folder, context=257)
    edit_json(folder / "config.json", max_position_embeddings=64)
    assert "at most 64 tokens" in refusal(folder)


def test_a_folder_without_permission_is_refused_in_words(folder):
    """As another user, if the tests run as root, who may read everything."""
    root = os.geteuid() == 0
    folder.chmod(0)
    if root:
        os.seteuid(65534)
    try:
        assert "Permission denied" in refusal(folder)
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)
