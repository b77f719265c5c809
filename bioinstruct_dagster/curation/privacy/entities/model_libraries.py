"""Keeps the libraries of language models out of a process that does not need them.

Belongs here: this, for whoever imports Presidio or spaCy. Does not: Presidio's recognisers
(recognizers), or spaCy's models (language_model).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_MODEL_LIBRARIES = ("torch", "transformers", "stanza", "gliner", "flair", "tensorflow", "cupy")


@contextmanager
def without_model_libraries() -> Iterator[None]:
    """Keep Presidio and spaCy from loading the libraries of language models.

    Both then treat these libraries as not installed. To load them would cost twelve CPU-seconds
    and put torch into a process that only searches for patterns. A loaded library stays.
    """
    kept_out = [name for name in _MODEL_LIBRARIES if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(kept_out))  # None: an import of it fails
    try:
        yield
    finally:
        for name in kept_out:
            sys.modules.pop(name, None)
