"""The optional extras of curation: is an extra's library installed, and what to do if it is not.

Belongs here: the messages about a missing or broken library. Does not: using it (novelty.meaning,
novelty.cluster.ray_cluster).
"""

import importlib.util
from typing import NamedTuple


class Extra(NamedTuple):
    """A library that only one setting needs.

    Attributes:
        name: of the extra in the package's metadata.
        module: the module that is imported.
        library: its name for people.
        setting: the variable that needs the library.
    """

    name: str
    module: str
    library: str
    setting: str

    def is_installed(self) -> bool:
        """Whether the library is installed. It is not imported, so this takes no time."""
        # A folder without code, as an incomplete removal leaves it, has no origin.
        spec = importlib.util.find_spec(self.module)
        return spec is not None and spec.origin is not None

    @property
    def missing_message(self) -> str:
        """The message that the library is not installed."""
        return (
            f"{self.setting} is set, but {self.library} is not installed. "
            f"Run pip install 'bioinstruct-dagster[{self.name}]', or leave the setting empty."
        )

    def broken_message(self, error: Exception) -> str:
        """The message that the installed library can't be imported."""
        return (
            f"{self.setting} is set, but {self.library} is installed and can't be imported "
            f"({type(error).__name__}: {error}). Mend the extra with pip install --force-reinstall "
            f"'bioinstruct-dagster[{self.name}]', or leave the setting empty."
        )


EMBEDDINGS = Extra(
    "embeddings",
    "sentence_transformers",
    "sentence-transformers",
    "BIOINSTRUCT_MEANING_MODEL",
)
RAY = Extra("ray", "ray", "Ray", "BIOINSTRUCT_RAY_ADDRESS")
