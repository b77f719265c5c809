"""Which judge the settings name, and the session in which it is asked.

The judge is asked like the teacher: the same store of replies, caps, pace and batches. It may have
a model, an address and a key of its own. Belongs here: the settings of the judge's session, and the
family of a model. Does not: the questions (grades, pairwise), or what a judge is worth (measured).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.judge.grades import PURPOSE
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.session import TeacherSession, open_session
from bioinstruct_dagster.teacher.terms import PurposeCap

# The beginnings of names, without the owner, of models of one family. A model prefers its own
# family's style (Panickssery et al. 2024, "LLM Evaluators Recognize and Favor Their Own
# Generations"). Medical derivatives belong to the family that they were trained from.
_FAMILIES = {
    "openai": ("gpt", "chatgpt", "o1", "o3", "o4", "davinci", "text-davinci"),
    "claude": ("claude",),
    "gemini": ("gemini", "gemma", "medgemma"),
    "llama": ("llama", "meta-llama", "vicuna", "alpaca", "tulu", "openbiollm", "meditron"),
    "mistral": ("mistral", "mixtral", "biomistral", "ministral"),
    "qwen": ("qwen", "qwq"),
    "deepseek": ("deepseek",),
    "phi": ("phi",),
    "smollm": ("smollm",),
    "bart": ("bart", "biobart"),
    "rehearsal": ("rehearsal",),
}


class JudgeError(StatedError):
    """The judge can't be asked as the settings name it. The message names the setting."""


def is_asked(settings: Settings) -> bool:
    """Whether the settings ask for a judge: always but for `off`, and `auto` with a real teacher.

    A judge named by an address or key of its own is not free, so `auto` leaves it off.
    """
    if settings.judge.mode == "auto":
        return settings.teacher.name == "rehearsal" and not _has_own_server(settings)
    return settings.judge.mode != "off"


def why_not_asked(settings: Settings) -> str:
    """The sentence that tells a user why no judge was asked, and what to do."""
    if settings.judge.mode == "off":
        return "BIOINSTRUCT_JUDGE is off, so no judge was asked. Set it to on or proven."
    return (
        "BIOINSTRUCT_JUDGE is auto, which asks no judge that has to be paid for. Set it to on, or "
        "to proven, which asks only a judge that `make bench-judge` has shown to be useful."
    )


def judge_settings(settings: Settings) -> Settings:
    """The settings with the judge in the place of the teacher.

    Raises:
        JudgeError: the judge has an address and no key, or the rehearsal server would answer under
            the name of a real model.
    """
    judge, teacher = settings.judge, settings.teacher
    if judge.base_url and not judge.api_key:
        raise JudgeError(
            "BIOINSTRUCT_JUDGE_BASE_URL is set, but BIOINSTRUCT_JUDGE_API_KEY is not, and the "
            "teacher's key is not sent to another server. Set it (any word will do for a local "
            "server that asks for no key)."
        )
    if judge.api_key:
        own = {"teacher": "openai", "openai_api_key": judge.api_key}
        if judge.base_url:
            own["openai_base_url"] = judge.base_url
        if judge.model_name or teacher.name == "rehearsal":
            own["teacher_model"] = judge.model_name
        return settings.changed(**own)
    if judge.model_name and teacher.name == "rehearsal":
        raise JudgeError(
            f"BIOINSTRUCT_JUDGE_MODEL is {judge.model_name!r}, but the teacher is the rehearsal "
            "teacher, which would answer in its place. Set BIOINSTRUCT_JUDGE_API_KEY (and "
            "BIOINSTRUCT_JUDGE_BASE_URL for another server than OpenAI's), or unset the model."
        )
    return settings.changed(teacher_model=judge.model_name) if judge.model_name else settings


@contextmanager
def open_judge(
    settings: Settings, store: Store, log: Callable[[str], None], *, run_id: str | None = None
) -> Iterator[TeacherSession]:
    """Open the judge that the settings name.

    Args:
        settings: name the judge and the caps.
        store: keeps every reply.
        log: takes lines for the user.
        run_id: the run whose caps the requests count towards.

    Raises:
        JudgeError: see `judge_settings`; or what the session raises, if it names settings.
        TeacherError, BudgetError, StoreBusyError: see teacher.session.open_session.
    """
    cap = PurposeCap(
        PURPOSE, "BIOINSTRUCT_JUDGE_MAX_USD", settings.judge.max_usd, settings.judge.max_tokens
    )
    asked = judge_settings(settings)
    try:
        with open_session(asked, store, log, run_id=run_id, purpose_cap=cap) as session:
            yield session
    except StatedError as error:
        told = in_judge_s_names(settings, str(error))
        if told == str(error):
            raise
        raise JudgeError(told) from None


def in_judge_s_names(settings: Settings, message: str) -> str:
    """A message about the teacher with the judge's settings in place of the teacher's.

    Requests to the judge are sent by the teacher's code, whose messages name its settings.
    """
    names = {}
    if _has_own_server(settings):
        names = {
            "OPENAI_API_KEY": "BIOINSTRUCT_JUDGE_API_KEY",
            "OPENAI_BASE_URL": "BIOINSTRUCT_JUDGE_BASE_URL",
        }
    if settings.judge.model_name or names:
        names["BIOINSTRUCT_TEACHER_MODEL"] = "BIOINSTRUCT_JUDGE_MODEL"
    for ours, judges in names.items():
        message = message.replace(ours, judges)
    return message


def family_of(model: str) -> str | None:
    """The family of a model by its name, such as `llama`; None if the name tells none."""
    name = model.rpartition("/")[2].casefold()
    for family, beginnings in _FAMILIES.items():
        if name.startswith(beginnings):
            return family
    return None


def _has_own_server(settings: Settings) -> bool:
    return bool(settings.judge.api_key or settings.judge.base_url)
