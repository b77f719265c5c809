"""One request and its answer over HTTP. This is no test.

Belongs here: what the tests of the wire share. Does not: the servers (answering_servers).
"""

import asyncio

from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

KEY = "sk-proj-a-key-that-nobody-may-see"


def complete(request, url, *, key=KEY, dialect=None, service="online", times=1):
    """Send a request so many times at once; the replies."""

    async def main():
        endpoint = Endpoint(url, key, rehearsal=False)
        async with TeacherClient(endpoint, connections=times, service=service) as client:
            return await asyncio.gather(
                *(client.complete(request, dialect or Dialect(), service) for _ in range(times))
            )

    return asyncio.run(main())
