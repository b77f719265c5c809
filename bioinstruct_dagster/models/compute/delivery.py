"""A parcel on the machine that trains: its folders are fetched, and what is made is sent home.

It runs in the model process, which opens no store. Belongs here: opening a parcel, and sending
messages, adapters and results. Does not: the home's side (models.compute.parcel).
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.compute.exchange import Exchange, ExchangeError
from bioinstruct_dagster.models.compute.places import (
    ALIVE_FILE,
    EMBEDDED_FILE,
    MADE,
    MODELS,
    PARCEL_FILE,
    SECONDS_BETWEEN_SIGNS,
    SECONDS_WITHOUT_SIGN,
    embedded_bases,
    in_exchange,
    message_file,
    named,
    there,
    with_strings,
)

_SECONDS_TO_END = 5.0


class Delivery:
    """An opened parcel."""

    def __init__(self, url: str, folder: Path) -> None:
        """Open the parcel, and fetch the folders that it names.

        Args:
            url: of the parcel.
            folder: of this machine, for what is fetched and made. It may hold what was fetched for
                other parcels.

        Raises:
            ExchangeError: the parcel, or a folder that it names, is not there.
        """
        root, _, rest = url.rpartition("/runs/")
        self._name = f"runs/{rest.removesuffix(f'/{PARCEL_FILE}')}"
        self._exchange = Exchange(root)
        self._work = folder.absolute()
        self._sent = 0
        self._sending = threading.Lock()
        text = self._exchange.text(f"{self._name}/{PARCEL_FILE}")
        if text is None:
            raise ExchangeError(
                f"There is no parcel at {url}. The machine of Dagster removed it: the run was "
                "cancelled, or another start of the same step took its place."
            )
        parcel = json.loads(text)
        for name in parcel["folders"]:
            self._fetch(name, self._work / name)
        self._embedded: dict[str, str] = parcel["embedded"]
        self._models = self._models_of(parcel["spec"])
        for name, sent in self._embedded.items():
            self._fetch(sent, self._models / name)
        self.spec = json.dumps(with_strings(parcel["spec"], self._here))

    def send(self, message: dict[str, Any]) -> int:
        """Send the folder that a message names, then the message. Returns its number."""
        with self._sending:  # a study's workers report from several threads
            self._send_embedded_bases()
            travels = with_strings(message, self._sent_home) | {"work": str(self._work)}
            self._sent += 1
            name = f"{self._name}/{message_file(self._sent)}"
            self._exchange.put_text(name, json.dumps(travels))
            return self._sent

    def end_without_home(self) -> None:
        """Begin to watch for signs of life from home. This process ends if there are none."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _here(self, text: str) -> str:
        name = named(text, there)
        return text if name is None else str(self._work / name)

    def _sent_home(self, text: str) -> str:
        path = Path(text)
        if not path.is_absolute() or not path.is_relative_to(self._work):
            return text
        name = path.relative_to(self._work).as_posix()
        if not name.startswith(tuple(f"{one}/" for one in MADE)) or not path.is_dir():
            return there(name)
        self._exchange.put_folder(path, f"{self._name}/{name}")
        return in_exchange(f"{self._name}/{name}")

    def _fetch(self, name: str, folder: Path) -> None:
        # The name holds a fingerprint, so a folder that is there is the right one.
        if not folder.exists():
            self._exchange.fetch_folder(name, folder)

    def _models_of(self, spec: Any) -> Path:
        """The folder for embedded base models; there are several, one per set of copies."""
        found: list[Path] = []

        def look(text: str) -> str:
            name = named(text, there)
            if name and name.startswith(f"{MODELS}/"):
                found.append(self._work / name)
            return text

        with_strings(spec, look)
        return found[0] if found else self._work / MODELS

    def _send_embedded_bases(self) -> None:
        """Send embedded base models that were made here."""
        if not self._embedded and (made := embedded_bases(self._models)):
            for name, sent in made.items():
                self._exchange.put_folder(self._models / name, sent)
            self._exchange.put_text(f"{self._name}/{EMBEDDED_FILE}", json.dumps(made))
            self._embedded = made

    def _watch(self) -> None:
        last, since = "", time.monotonic()
        while time.monotonic() - since < SECONDS_WITHOUT_SIGN:
            time.sleep(SECONDS_BETWEEN_SIGNS)
            try:
                sign = self._exchange.text(f"{self._name}/{ALIVE_FILE}") or ""
            except ExchangeError:
                continue
            if sign != last:
                last, since = sign, time.monotonic()
        sys.stderr.write("No sign of life from the machine of Dagster, so this process ends.\n")
        os.killpg(os.getpgid(0), signal.SIGTERM)
        time.sleep(_SECONDS_TO_END)
        os._exit(1)  # the first process of a container ignores signals of its own
