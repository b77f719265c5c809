"""One process at a time asks for a store, and a process that dies holds up no other."""

import pytest

from bioinstruct_dagster.store.database import Store, StoreBusyError
from bioinstruct_dagster.teacher.asking_lock import asking_alone
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

HOLD = """
import sys
from pathlib import Path
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.asking_lock import asking_alone

with asking_alone(Store(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_dies(store, start_python, requests_of):
    holder = start_python(HOLD, store.path)
    assert holder.stdout.readline() == "held\n"
    impatient = Store(store.path, timeout=0.1)
    nowhere = Endpoint("http://127.0.0.1:9/v1", "k", rehearsal=False)
    with pytest.raises(StoreBusyError, match="BIOINSTRUCT_LOCK_TIMEOUT"):
        ask(session_of(nowhere, impatient), requests_of(1))
    holder.kill()
    holder.wait()
    with asking_alone(store):
        pass


def test_another_store_is_not_held_up(store, tmp_path):
    with asking_alone(store), asking_alone(Store(tmp_path / "other" / "bioinstruct.duckdb")):
        pass


def test_the_lock_is_free_after_an_error(store):
    with pytest.raises(LookupError), asking_alone(store):
        raise LookupError
    with asking_alone(Store(store.path, timeout=0.1)):
        pass
