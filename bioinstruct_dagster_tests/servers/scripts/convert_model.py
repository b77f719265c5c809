"""Converts a GGUF model into a folder with safetensors: `convert_model.py MODEL.gguf FOLDER`.

It runs in the environment of `transformers serve`.
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM


def main(gguf: Path, folder: Path) -> None:
    """Write the model in 16 bits, with its tokenizer and chat template."""
    torch.set_num_threads(1)
    loaded = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16
    )
    # A model that was loaded from GGUF can't be saved: its configuration says "quantized".
    config = loaded.config.to_dict()
    config.pop("quantization_config", None)
    model = LlamaForCausalLM(LlamaConfig(**config)).to(torch.bfloat16)
    model.load_state_dict(loaded.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
