"""This project's client in the same frame as the peers: `ask`, with its journal and its store.

The requests are those of `generation.series`, but with the prompts that all clients send. Belongs
here: the call. Does not: calls that no user would make.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.generation.peers.measured import Job, read_job, run
from benchmarks.generation.prompts import MODEL, WARM_UP
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.flow.pacing import limits_of
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.session import TeacherSession
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

# As for five tasks in a request; what a reply takes of it is for the client to learn.
MOST_OUTPUT_TOKENS = 3_000

CONTENTS = """
    select content
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
"""


def client(job: Job, prompts: list[str], cache: Path) -> list[str | None]:
    """Answers of one call, read back from the store."""
    store = Store(cache / "store.duckdb")
    requests = [
        TeacherRequest(
            purpose="generation",
            teacher="openai",
            model=MODEL,
            parameters={
                "temperature": 1.0,
                "max_completion_tokens": job.options.get("most_output", MOST_OUTPUT_TOKENS),
                "seed": number,
            },
            messages=({"role": "user", "content": text},),
            template_id="benchmark",
            template_sha256="0" * 64,
            run_seed=0,
            request_number=number,
        )
        for number, text in enumerate(prompts)
    ]
    endpoint = Endpoint(job.base_url, "benchmark", rehearsal=False)
    terms = Terms(concurrency=job.options["concurrency"], max_usd=job.options.get("cap_usd"))
    if job.options.get("probe"):
        terms = replace(terms, known_limits=asyncio.run(limits_by_probe(endpoint, requests[0])))
    ask(TeacherSession("openai", MODEL, endpoint, store, print, terms), requests)
    wanted = [request.completion_id for request in requests]
    return [row["content"] for row in store.rows(CONTENTS, {"wanted": wanted})]


async def limits_by_probe(
    endpoint: Endpoint, like: TeacherRequest
) -> tuple[float | None, float | None]:
    """The server's limits by one request, as the project's probe of an unknown server finds them.

    It is within the time that is measured; its text is one that the server does not count.
    """
    messages = ({"role": "user", "content": f"{WARM_UP} The probe."},)
    async with TeacherClient(endpoint, connections=1) as client:
        reply = await client.complete(replace(like, messages=messages), Dialect())
    return limits_of(reply.headers)


def make_store(path: Path) -> None:
    """Make an empty store, which is there in use before anything is generated: it holds the seeds.

    Not within the time that is measured.
    """
    with Store(path).write():
        pass


if __name__ == "__main__":
    make_store(read_job(Path(sys.argv[1])).cache_dir / "measured" / "store.duckdb")
    run(client, "bioinstruct-dagster")
