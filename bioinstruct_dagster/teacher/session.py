"""A teacher session: one call opens the teacher that the settings name.

A session holds everything that a round needs: the endpoint, the terms (pace, caps, service and
dialect), the store of every reply, and the log. `rounds.ask`, `rounds.pursue` and
`answers.ask_about` take a session. Belongs here: opening a session. Does not: sending requests
(rounds), or finding a server's dialect (probe).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.probe import with_dialect
from bioinstruct_dagster.teacher.requests import ReplyFormat
from bioinstruct_dagster.teacher.terms import PurposeCap, Terms, terms_of
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint


@dataclass(frozen=True)
class TeacherSession:
    """An open teacher.

    Attributes:
        teacher: the teacher's name in the settings: `rehearsal` or `openai`.
        model: the model that the requests name.
        endpoint: the server's address and key.
        store: keeps every reply.
        log: takes lines for the user.
        terms: pace, caps, service and dialect.
    """

    teacher: str
    model: str
    endpoint: Endpoint
    store: Store
    log: Callable[[str], None]
    terms: Terms = field(default_factory=Terms)

    @property
    def reply_format(self) -> ReplyFormat:
        """The form in which the server gives its replies."""
        return self.terms.dialect.reply_format


@contextmanager
def open_session(
    settings: Settings,
    store: Store,
    log: Callable[[str], None],
    *,
    run_id: str | None = None,
    run_max_usd: float | None = None,
    run_max_tokens: int | None = None,
    purpose_cap: PurposeCap | None = None,
) -> Iterator[TeacherSession]:
    """Open the teacher that the settings name, and probe a server whose dialect is not known.

    Args:
        settings: name the teacher, its model, the pace and the caps.
        store: keeps every reply.
        log: takes lines for the user.
        run_id: the run whose caps the requests count towards.
        run_max_usd: the run's own cap in dollars; it replaces the cap of the settings.
        run_max_tokens: the run's own cap in tokens; it replaces the cap of the settings.
        purpose_cap: a cap of the requests' purpose, beside the others.

    Raises:
        TeacherError: no key is set, or the server accepts no form of the probe.
        BudgetError: the caps leave no room for the probe.
        StoreBusyError: another process is sending requests for this store.
    """
    terms = terms_of(
        settings,
        run_id,
        run_max_usd=run_max_usd,
        run_max_tokens=run_max_tokens,
        purpose_cap=purpose_cap,
    )
    with open_endpoint(settings) as endpoint:
        yield TeacherSession(
            settings.teacher.name,
            settings.teacher.model,
            endpoint,
            store,
            log,
            with_dialect(terms, settings, endpoint, store, log),
        )


@contextmanager
def open_endpoint(settings: Settings) -> Iterator[Endpoint]:
    """Open the address of the teacher that the settings name, without a probe.

    The rehearsal teacher runs while the context is open.

    Raises:
        TeacherError: the teacher is `openai` and no key is set.
    """
    if settings.teacher.name == "rehearsal":
        from bioinstruct_dagster.rehearsal.api_server import app as server
        from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions

        # A batch must outlive the run that submits it. So the server keeps its batches in a folder,
        # also for a run that sends requests online while a batch is open.
        batches_dir = settings.store.data_dir / "rehearsal_batches"
        has_batches = settings.teacher.service == "batch" or batches_dir.exists()
        folder = batches_dir if has_batches else None
        with server.serve_recordings(options=ServerOptions(state_dir=folder)) as base_url:
            yield Endpoint(base_url, "no-key-needed", rehearsal=True)
        return
    yield _openai_endpoint(settings)


def _openai_endpoint(settings: Settings) -> Endpoint:
    key = settings.teacher.api_key.get_secret_value() if settings.teacher.api_key else ""
    if not key:
        raise TeacherError(
            "BIOINSTRUCT_TEACHER is 'openai' but OPENAI_API_KEY is not set. Export it, or put it "
            "in .env (any word will do for a local server that asks for no key)."
        )
    url = str(settings.teacher.base_url) if settings.teacher.base_url else None
    return Endpoint(url, key, rehearsal=False)
