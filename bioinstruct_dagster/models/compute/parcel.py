"""What travels to a machine that does not hold the store, and what comes back: the home's side.

A specification names folders of this machine. They are put into the exchange, and the copy of the
specification that travels names them there. Belongs here: packing, and taking messages and adapters
in. Does not: the other side (models.compute.delivery), or the exchange (models.compute.exchange).
"""

import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.written_files import rewrite
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.adapters import WEIGHTS_FILE, weights_changed
from bioinstruct_dagster.models.compute.exchange import Exchange, ExchangeError
from bioinstruct_dagster.models.compute.places import (
    ADAPTERS,
    ALIVE_FILE,
    EMBEDDED_FILE,
    MADE,
    MODELS,
    NOTE,
    PARCEL_FILE,
    RESULTS,
    SECONDS_BETWEEN_SIGNS,
    embedded_bases,
    in_exchange,
    message_file,
    named,
    there,
    with_strings,
)
from bioinstruct_dagster.models.experiments import REHEARSAL
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

_AMENDED = ("*.json", "*.md")  # files of an adapter that name folders of the other machine


class ParcelError(StatedError):
    """A specification names something that can't travel. The message says what."""


class Parcel:
    """One specification on its way, and the messages that come back for it."""

    def __init__(self, exchange: Exchange, name: str, spec: str) -> None:
        """Prepare a parcel.

        Args:
            exchange: that both sides reach.
            name: of the work. What an earlier start of the same work left is removed.
            spec: the specification as JSON.
        """
        self._exchange = exchange
        self._runs = f"runs/{name}"
        # An earlier start that has not ended yet writes into a folder of its own.
        self._folder = f"{self._runs}/{uuid.uuid4().hex[:8]}"
        self._spec = json.loads(spec)
        self._homes: dict[str, Path] = {}  # by the name that the other side gives a folder
        self._sent: list[str] = []
        self._known: dict[tuple[str, str, str], str] = {}  # texts that were packed before
        self._embedded: dict[str, str] = {}  # the exchange's name of each embedded base model
        self._taken = 0
        self._over = threading.Event()
        self._signs = threading.Thread(target=self._give_signs_of_life, daemon=True)

    @property
    def url(self) -> str:
        """The URL that the model process gets in place of a file."""
        return f"{self._exchange.url}/{self._folder}/{PARCEL_FILE}"

    def send(self) -> None:
        """Put the specification and all that it names into the exchange.

        Raises:
            ParcelError: it names a path that can't travel.
            ExchangeError: the exchange can't be written to.
        """
        self._exchange.remove(self._runs)
        spec = self._packed(self._spec)
        parcel = {"spec": spec, "folders": self._sent, "embedded": self._embedded}
        self._exchange.put_text(f"{self._folder}/{PARCEL_FILE}", json.dumps(parcel))
        self._signs.start()

    def received(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The messages that a note in the log announces; another message is itself."""
        if message["kind"] != NOTE:
            yield message
            return
        while self._taken < message["number"] and (found := self._next()):
            yield found

    def rest(self) -> Iterator[dict[str, Any]]:
        """The messages that the process wrote, but whose note the log lost."""
        while found := self._next():
            yield found

    def close(self) -> None:
        """Remove what belongs to this work alone. Data sets and base models stay for the next."""
        self._over.set()
        if self._signs.is_alive():
            self._signs.join()
        self._exchange.remove(self._folder)

    def _next(self) -> dict[str, Any] | None:
        text = self._exchange.text(f"{self._folder}/{message_file(self._taken + 1)}")
        if text is None:
            return None
        self._taken += 1
        message: dict[str, Any] = json.loads(text)
        work = message.pop("work")
        self._fetch_embedded_bases()
        taken: dict[str, Any] = with_strings(message, lambda text: self._at_home(text, work))
        self._check_weights(taken.get("result"))
        return taken

    def _at_home(self, text: str, work: str) -> str:
        if name := named(text, there):
            for sent, home in self._homes.items():
                if name == sent or name.startswith(f"{sent}/"):
                    return str(home) + name.removeprefix(sent)
        elif name := named(text, in_exchange):
            kind, _, made = name.removeprefix(f"{self._folder}/").partition("/")
            if kind not in MADE or kind not in self._homes:
                raise ExchangeError(f"{self._exchange.url}/{name} is no folder that comes home")
            home = self._homes[kind] / made
            if not home.resolve().is_relative_to(self._homes[kind].resolve()):
                raise ExchangeError(f"{self._exchange.url}/{name} is no folder for {kind}")
            self._exchange.fetch_folder(name, home, lambda folder: self._amend(folder, work))
            return str(home)
        return text

    def _amend(self, folder: Path, work: str) -> None:
        """Name this machine's folders in a fetched adapter, not those of the other machine."""
        for pattern in _AMENDED:
            for path in folder.rglob(pattern):
                text = amended = path.read_text("utf-8")
                for name, home in self._homes.items():
                    for end in ("/", '"', "`"):  # no other folder's name begins like this one
                        amended = amended.replace(f"{work}/{name}{end}", f"{home}{end}")
                if amended != text:
                    rewrite(path, amended)

    def _check_weights(self, result: Any) -> None:
        if not isinstance(result, Mapping) or "adapter_sha256" not in result:
            return
        folder = Path(result["adapter_path"])
        if weights_changed(folder, result["adapter_sha256"]):
            raise ExchangeError(
                f"{folder / WEIGHTS_FILE} came with another sha256 than its training reported. "
                "Delete the folder, and run the step again."
            )

    def _packed(self, value: Any, key: str = "", around: Mapping[str, Any] | None = None) -> Any:
        """The specification as the other side can read it; what it names is sent."""
        around = around or {}
        if isinstance(value, dict):
            inherited = {**around, **value}
            return {name: self._packed(inner, name, inherited) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._packed(inner, key, around) for inner in value]
        return self._packed_text(value, key, around) if isinstance(value, str) else value

    def _packed_text(self, value: str, key: str, around: Mapping[str, Any]) -> str:
        # All experiments of a study name the same folders, whose files are hashed only once.
        fingerprint = str(around.get("dataset_fingerprint", ""))
        text = (key, value, fingerprint)
        if text not in self._known:
            self._known[text] = self._sent_text(*text)
        return self._known[text]

    def _sent_text(self, key: str, value: str, fingerprint: str) -> str:
        match key:
            case "models_dir":
                packed = self._models(Path(value))
            case "adapters_dir":
                packed = self._place(ADAPTERS, value)
            case "results_dir":
                packed = self._place(RESULTS, value)
            case "questions_path":
                packed = self._files(Path(value), "questions")
            case "dataset_path":
                packed = self._dataset(Path(value), fingerprint)
            case "adapter_path":
                # Two adapters may have equal weights and differ in their configs.
                packed = self._files(Path(value), "adapters-to-score")
            case "source" | "prompt" if (path := _path_of(value)).exists():
                packed = self._input(path)
            case _ if value.startswith("/") and Path(value).exists():
                raise ParcelError(
                    f"The specification names {value} in `{key}`, and nothing sends it to the "
                    "machine that trains. Set BIOINSTRUCT_COMPUTE=local, and report this."
                )
            case _:
                packed = value
        return packed

    def _place(self, name: str, value: str) -> str:
        self._homes[name] = Path(value)
        return there(name)

    def _dataset(self, folder: Path, fingerprint: str) -> str:
        pattern = f"data/*-{fingerprint[:16]}.parquet"
        if not fingerprint or not any(folder.glob(pattern)):
            raise ParcelError(
                f"{folder} does not hold version {fingerprint[:16]} of the data set, because the "
                "data set was rebuilt. Materialize the step again."
            )
        return self._send(folder, f"datasets/{fingerprint[:16]}", pattern)

    def _input(self, path: Path) -> str:
        """A base model's folder, or a file of a prompt template."""
        if path.is_file():
            sha256 = sha256_of_file(path)
            return f"{self._send(path.parent, f'prompts/{sha256[:16]}', path.name)}/{path.name}"
        return self._files(path, "bases")

    def _files(self, folder: Path, kind: str) -> str:
        """A folder whose name in the exchange holds the hash of its files."""
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        sums = [[file.relative_to(folder).as_posix(), sha256_of_file(file)] for file in files]
        return self._send(folder, f"{kind}/{sha256_of(sums)[:16]}")

    def _send(self, folder: Path, name: str, pattern: str = "**/*") -> str:
        if name not in self._homes:
            self._exchange.put_folder(folder, name, pattern)
            self._homes[name] = folder
            self._sent.append(name)
        return there(name)

    # The embedded base model is built where it is first needed. Its weights depend on the machine,
    # so the other side uses the copy that is here, or makes the one that both use from then on.

    def _models(self, folder: Path) -> str:
        if REHEARSAL in _strings(self._spec):
            self._embedded = embedded_bases(folder)
            for name, sent in self._embedded.items():
                self._exchange.put_folder(folder / name, sent)
        # Other copies of the same model may be there, from other homes.
        copies = sha256_of(sorted(self._embedded.values()))[:12] if self._embedded else "own"
        return self._place(f"{MODELS}/{copies}", str(folder))

    def _fetch_embedded_bases(self) -> None:
        models = next((home for name, home in self._homes.items() if name.startswith(MODELS)), None)
        made = self._exchange.text(f"{self._folder}/{EMBEDDED_FILE}")
        for name, sent in json.loads(made or "{}").items():
            if models and not (models / Path(name).name).exists():
                self._exchange.fetch_folder(sent, models / Path(name).name)

    def _give_signs_of_life(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            try:
                self._exchange.put_text(f"{self._folder}/{ALIVE_FILE}", str(number))
            except ExchangeError:
                number -= 1  # the other side waits for many signs before it gives up
            self._over.wait(SECONDS_BETWEEN_SIGNS)


def _path_of(value: str) -> Path:
    try:
        return (PROJECT_ROOT / Path(value).expanduser()).resolve()
    except RuntimeError:
        return Path("/nonexistent")


def _strings(value: Any) -> set[str]:
    found: set[str] = set()

    def look(text: str) -> str:
        found.add(text)
        return text

    with_strings(value, look)
    return found
