"""The names that both sides of the exchange know: files of a parcel, and how a text names a folder.

Belongs here: the form of a parcel. Does not: packing (parcel), or opening one (delivery).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.experiments import REHEARSAL
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

PARCEL_FILE = "parcel.json"
ALIVE_FILE = "alive"
EMBEDDED_FILE = "embedded.json"
NOTE = "note"  # the kind of a message that only announces messages in the exchange
MODELS, ADAPTERS, RESULTS = "models", "adapters", "results"
MADE = (ADAPTERS, RESULTS)  # folders of what is made there and comes home

SECONDS_BETWEEN_SIGNS = 60.0
# A machine of Dagster that restarts, or an exchange that fails for some minutes, ends no training.
SECONDS_WITHOUT_SIGN = 1_800.0


def embedded_bases(models: Path) -> dict[str, str]:
    """The exchange's name of each embedded base model in a folder, by the name that it has there.

    The exchange's name holds a hash of the files.
    """
    found = {}
    for folder in sorted(models.glob(f"{REHEARSAL}-*")):
        if folder.is_dir():
            sums = [[path.name, sha256_of_file(path)] for path in sorted(folder.iterdir())]
            found[folder.name] = f"embedded/{folder.name}-{sha256_of(sums)[:12]}"
    return found


def message_file(number: int) -> str:
    """The file of a message in a parcel's folder; numbers begin with 1."""
    return f"messages/{number:06}.json"


def there(name: str) -> str:
    """How a text names a folder of the machine that trains."""
    return f"there:{name}"


def in_exchange(name: str) -> str:
    """How a text names a folder of the exchange."""
    return f"exchange:{name}"


def named(text: str, form: Callable[[str], str]) -> str | None:
    """The folder that a text names in this form; None if it names none."""
    prefix = form("")
    return text.removeprefix(prefix) if text.startswith(prefix) else None


def with_strings(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of a JSON value with each of its strings changed; names of fields stay."""
    if isinstance(value, dict):
        return {name: with_strings(inner, change) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_strings(inner, change) for inner in value]
    return change(value) if isinstance(value, str) else value
