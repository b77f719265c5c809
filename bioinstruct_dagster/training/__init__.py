"""Stage 5: LoRA adapters, each trained in a process of its own."""
