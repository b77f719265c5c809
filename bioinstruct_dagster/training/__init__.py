"""Stage 5: LoRA adapters. Each of them is trained in the model process."""
