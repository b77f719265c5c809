"""The privacy gate: what identifies a person."""
