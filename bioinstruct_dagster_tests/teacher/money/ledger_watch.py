"""Compares the money in the store and in the budgets with the bill of the rehearsal server.

At each step, before the server answers, `Watch.look` adds up the tokens that would count if the
process were killed now: those in the store, and those that a fold would take from the journal.
Belongs here: what the tests of settling share. Does not: the outcomes (test_settling,
test_settling_batches).
"""

import json

from aiohttp import web

from bioinstruct_dagster.teacher.money.tokens import size_of

REFUSALS = ["400", "401", "404", "409", "422", "429", "500", "503"]
BILLED_ERRORS = ["400 content_filter", "408", "502", "504", "520", "524"]


class Watch:
    """Looks at the money, on disk and in every budget, whenever the server is about to answer."""

    def __init__(self, store, budgets: list) -> None:
        self.store, self.budgets = store, budgets
        self.server = None
        self.steps: list[dict[str, int]] = []
        self.known = (None, 0)  # tokens of the store's file, by its time of change

    def look(self, *, in_budgets: bool = True) -> None:
        ledger = self.server.teacher.ledger
        step = {"billed": ledger.prompt_tokens + ledger.completion_tokens}
        step["on disk"] = self.left_by_a_kill()
        if in_budgets and self.budgets:
            [cap] = self.budgets[-1].caps
            step["in the budget"] = cap.spent + cap.reserved
        self.steps.append(step)

    def left_by_a_kill(self) -> int:
        """Tokens that the store would count if the process were killed now."""
        # What was sent first: of a request that is settled meanwhile, the reservation counts.
        sent, replies = (self.lines(ending) for ending in ("*.sent", "*.jsonl"))
        closed = {line.get("reservation_id") for line in replies}
        closed |= {line["released"] for line in sent if "released" in line}
        journalled = sum(
            (line["prompt_tokens"] or 0) + (line["completion_tokens"] or 0) for line in replies
        )
        reserved = {line["reservation_id"]: line["tokens"] for line in sent if "tokens" in line}
        pending = sum(tokens for key, tokens in reserved.items() if key not in closed)
        return self.in_the_store() + journalled + pending

    def lines(self, ending: str) -> list[dict]:
        files = sorted(self.store.journal_dir.glob(ending))
        return [
            json.loads(line)
            for path in files
            for line in path.read_bytes().splitlines(keepends=True)
            if line.endswith(b"\n")
        ]

    def in_the_store(self) -> int:
        if not self.store.path.exists():
            return 0
        changed = self.store.path.stat().st_mtime_ns
        if self.known[0] != changed:
            statement = "select coalesce(sum(tokens), 0)::bigint as n from spend"
            self.known = (changed, self.store.rows(statement)[0]["n"])
        return self.known[1]

    def holds(self, cap: int) -> None:
        """Assert both promises for every step."""
        assert self.steps
        for step in self.steps:
            for place in step.keys() - {"billed"}:
                assert step["billed"] <= step[place] <= cap, (place, self.steps)


def error(outcome, message="No."):
    """The answer of an outcome such as 408, or `400 content_filter` with a code."""
    status, _, code = str(outcome).partition(" ")
    return web.json_response(
        {"error": {"message": message, "code": code or None}},
        status=int(status),
        headers={"retry-after-ms": "1"},
    )


def nearly_the_most(*requests) -> dict[str, int]:
    """Server options by which an answer costs nearly all that its request reserves."""
    sizes = [size_of(request) for request in requests]
    return {
        "answer_tokens": min(size.max_output for size in sizes),
        "prompt_tokens": min(size.prompt_bytes for size in sizes),
    }


def presumed(store) -> int:
    if not store.path.exists():
        return 0
    return store.rows("select count(*) as n from presumed_spend")[0]["n"]
