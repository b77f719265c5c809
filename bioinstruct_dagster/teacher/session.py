"""A teacher session: the teacher that the settings name, opened in one call and passed on whole.

A session holds everything that asking needs: where the teacher is, the terms (pace, caps, service,
dialect), the store that keeps every reply, and the log. `rounds.ask` and `rounds.pursue` take it,
and so does `answers.ask_about`. Belongs here: opening a session. Does not: asking (rounds), or how
a server's dialect is found out (probe).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.probe import with_dialect
from bioinstruct_dagster.teacher.requests import ReplyFormat
from bioinstruct_dagster.teacher.terms import Terms, terms_of
from bioinstruct_dagster.teacher.wire.client import Endpoint


@dataclass(frozen=True)
class TeacherSession:
    """An open teacher.

    Attributes:
        teacher: its name in the settings: `rehearsal` or `openai`.
        model: the model that is asked.
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
        """How the server is told the form of its replies."""
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
) -> Iterator[TeacherSession]:
    """Open the teacher that the settings name, and find out its dialect if it was not met before.

    Args:
        settings: name the teacher, its model, the pace and the caps.
        store: keeps every reply.
        log: takes lines for the user.
        run_id: under which the requests are counted towards the caps of one run.
        run_max_usd: the run's own cap in dollars, in place of the settings'.
        run_max_tokens: the run's own cap in tokens, in place of the settings'.

    Raises:
        TeacherError: no key is set, or the server accepts no form of the probe.
        BudgetError: the caps leave no room for the probe.
        StoreBusyError: another process is asking for this store.
    """
    terms = terms_of(settings, run_id, run_max_usd=run_max_usd, run_max_tokens=run_max_tokens)
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
    """The address of the teacher that the settings name, for what sends no request to a model.

    The rehearsal teacher is started and stopped here.

    Raises:
        TeacherError: the teacher is `openai` and no key is set.
    """
    if settings.teacher.name == "rehearsal":
        from bioinstruct_dagster.rehearsal.api_server import app as server
        from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions

        # Batches outlive the run that submits them, and so must the server's memory of them: also
        # for a run that asks online while one is open.
        batches_dir = settings.store.data_dir / "rehearsal_batches"
        kept = settings.teacher.service == "batch" or batches_dir.exists()
        folder = batches_dir if kept else None
        with server.serve_recordings(options=ServerOptions(state_dir=folder)) as base_url:
            yield Endpoint(base_url, "no-key-needed", rehearsal=True)
        return
    yield openai_endpoint(settings)


def openai_endpoint(settings: Settings) -> Endpoint:
    """The configured OpenAI-compatible endpoint.

    Raises:
        TeacherError: no key is set.
    """
    key = settings.teacher.api_key.get_secret_value() if settings.teacher.api_key else ""
    if not key:
        raise TeacherError(
            "BIOINSTRUCT_TEACHER is 'openai' but OPENAI_API_KEY is not set. Export it, or put it "
            "in .env (for a local server that asks for no key, any word will do)."
        )
    url = str(settings.teacher.base_url) if settings.teacher.base_url else None
    return Endpoint(url, key, rehearsal=False)
