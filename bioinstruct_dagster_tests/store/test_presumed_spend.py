"""Requests without a reply are presumed to be billed, once, and no other requests are."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import CompletionJournal, fold

WRITER = """
import asyncio, json, sys
from pathlib import Path
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import CompletionJournal

async def main():
    async with CompletionJournal(Store(Path(sys.argv[1]))) as journal:
        for line in sys.stdin:
            entry = json.loads(line)
            if "reserved_at" in entry:
                journal.reserve(entry)
            elif "released" in entry:
                journal.release(entry["released"])
            else:
                await journal.append(entry)
            print("on disk", flush=True)

asyncio.run(main())
"""


def reservation(number: int) -> dict:
    return {
        "reservation_id": f"r{number}",
        "completion_id": f"{number:064x}",
        "run_id": "one",
        "usd": 0.25,
        "tokens": 1_000,
        "rehearsal": False,
        "reserved_at": "2026-11-20T08:00:00+00:00",
    }


def presumed(store: Store) -> list[str]:
    statement = "select reservation_id from presumed_spend order by reservation_id"
    return [row["reservation_id"] for row in store.rows(statement)]


def stored(store: Store) -> list[int]:
    return [
        row["n"] for row in store.rows("select request_number as n from completions order by n")
    ]


def put(store: Store, *entries) -> None:
    """Journal reservations (a dict of theirs), releases (a text) and completions, in order."""

    async def main():
        async with CompletionJournal(store) as journal:
            for entry in entries:
                if isinstance(entry, str):
                    journal.release(entry)
                elif "reserved_at" in entry:
                    journal.reserve(entry)
                else:
                    await journal.append(entry)

    asyncio.run(main())


def test_only_requests_without_reply_or_refusal_are_presumed(store, completion):
    put(
        store,
        *map(reservation, range(4)),
        completion(0, reservation_id="r0"),
        "r1",
        completion(3),  # a reply that does not say what it cost leaves its reservation as it is
    )
    assert fold(store) == 2
    assert presumed(store) == ["r2", "r3"]
    (row,) = store.rows("select * from presumed_spend where reservation_id = 'r2'")
    assert (row["usd"], row["tokens"], row["run_id"]) == (0.25, 1_000, "one")
    assert [fold(store), presumed(store)] == [0, ["r2", "r3"]]
    assert list(store.journal_dir.iterdir()) == []


def test_a_round_without_a_single_reply_is_presumed_too(store):
    put(store, reservation(1))
    assert fold(store) == 0
    assert presumed(store) == ["r1"]


def test_requests_of_a_live_writer_are_not_presumed(store, completion, start_python):
    writer = start_python(WRITER, store.path)

    def write(entry) -> None:
        writer.stdin.write(json.dumps(entry) + "\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "on disk\n"

    for number in range(3):
        write(reservation(number))
    write(completion(0, reservation_id="r0"))
    assert (fold(store), presumed(store)) == (1, [])
    write({"released": "r1"})
    assert (fold(store), presumed(store)) == (0, [])
    writer.kill()
    writer.wait()
    assert (fold(store), presumed(store), stored(store)) == (0, ["r2"], [0])
    assert list(store.journal_dir.iterdir()) == []


def test_a_fold_killed_before_removing_files_counts_once(store, completion):
    put(store, reservation(1), reservation(2), completion(2, reservation_id="r2"))
    kept = {path: path.read_bytes() for path in store.journal_dir.iterdir()}
    fold(store)
    for path, data in kept.items():
        path.write_bytes(data)
    assert fold(store) == 0
    assert (presumed(store), stored(store)) == (["r1"], [2])


@pytest.mark.parametrize("damage", [b"\0" * 512 + b"\n", b"{\n", b"7\n", b'{"other": 1}\n'])
def test_a_damaged_line_of_what_was_sent_costs_no_other(store, completion, damage):
    put(store, reservation(1), reservation(2), "r2")
    (path,) = store.journal_dir.glob("*.sent")
    path.write_bytes(damage + path.read_bytes() + damage)
    fold(store)
    assert presumed(store) == ["r1"]


STEPS = st.lists(st.sampled_from(["reply", "unpriced reply", "refusal", "nothing"]), max_size=6)


@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, cut=st.floats(0, 1), sent_cut=st.floats(0, 1))
def test_cut_files_never_make_the_budget_count_too_little(
    completion, tmp_path_factory, steps, cut, sent_cut
):
    store = Store(tmp_path_factory.mktemp("cut") / "s.duckdb")
    entries = []
    for number, step in enumerate(steps):
        entries.append(reservation(number))
        if step == "reply":
            entries.append(completion(number, reservation_id=f"r{number}"))
        elif step == "unpriced reply":
            entries.append(completion(number))
        elif step == "refusal":
            entries.append(f"r{number}")
    put(store, *entries)
    (journal,) = store.journal_dir.glob("*.jsonl")
    (sent,) = store.journal_dir.glob("*.sent")
    for path, share in ((journal, cut), (sent, sent_cut)):
        path.write_bytes(path.read_bytes()[: round(path.stat().st_size * share)])
    replies = [json.loads(line) for line in journal.read_bytes().split(b"\n")[:-1]]
    lines = [json.loads(line) for line in sent.read_bytes().split(b"\n")[:-1]]
    fold(store)
    fold(store)
    assert stored(store) == sorted(reply["request_number"] for reply in replies)
    settled = {reply.get("reservation_id") for reply in replies}
    settled |= {line.get("released") for line in lines}
    noted = {line["reservation_id"] for line in lines if "reservation_id" in line}
    assert presumed(store) == sorted(noted - settled)
