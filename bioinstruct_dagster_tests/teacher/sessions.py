"""Teacher sessions with servers of the tests' own.

Belongs here: opening such a session. Does not: the servers (answering_servers, rehearsal_servers).
"""

from collections.abc import Callable

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.session import TeacherSession
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint


def session_of(
    endpoint: Endpoint,
    store: Store,
    *,
    terms: Terms | None = None,
    log: Callable[[str], object] = lambda _: None,
    teacher: str = "openai",
    model: str = "gpt-4.1",
) -> TeacherSession:
    """A session with a server that is up, without probing it."""
    return TeacherSession(teacher, model, endpoint, store, log, terms or Terms())
