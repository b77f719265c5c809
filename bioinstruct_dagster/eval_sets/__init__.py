"""Evaluation sets: their catalogue and their items, for decontamination and evaluation."""
