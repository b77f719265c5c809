"""The search: requests in one form after another, until the server takes one and answers in it.

If a refusal names parts of the request, these parts are left out or get another name. If it names
nothing, the search asks for a simpler format, and at last with the fewest parameters. It then adds
one part after another again, as long as the server takes them. Belongs here: which form is sent
next. Does not: reading refusals (refused_parts), or whether the server heeds the output limit
(output_limit).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bioinstruct_dagster.teacher.errors import StatusError, TeacherError
from bioinstruct_dagster.teacher.probe_request import (
    MAX_GROWN_TOKENS,
    MAX_PROBE_TOKENS,
    SOUND_OUTCOMES,
    outcome_of,
    probe_request,
    usual_limit,
)
from bioinstruct_dagster.teacher.probing import advice
from bioinstruct_dagster.teacher.probing.refused_parts import (
    FORMAT,
    LIMIT,
    SYSTEM,
    limit_is_too_large,
    limit_was_reached,
    named_maximum,
)
from bioinstruct_dagster.teacher.probing.sender import ProbeSender, output_tokens, passes_limit
from bioinstruct_dagster.teacher.reading.answer_text import answer_from, ends_at_limit
from bioinstruct_dagster.teacher.requests import REPLY_FORMATS, TeacherRequest
from bioinstruct_dagster.teacher.wire.dialect import TOKEN_LIMIT_NAMES, Dialect
from bioinstruct_dagster.teacher.wire.reply import TeacherReply

# Answers until the search gives up: a strict server may refuse ten parts, one after another.
MAX_FORMS = 16
_NOTHING_SENT = frozenset({"max_completion_tokens"})
_ONLY_REASONED = "only reasoned"
_EMPTY_REPLY = TeacherReply(finish_reason="length")


@dataclass
class FormSearch:
    """The search for a form that the server takes.

    Attributes:
        sender: sends the requests.
        dialect: the form that is tried next.
        forced: whether the user set the format of the replies.
        ignored: names of the token limit that the server takes and ignores.
        heeded: names of the token limit that a reply of the search has reached.
        refused_names: names of the token limit that the server refuses.
        reasoning_tokens: the output tokens of a reply that only grew past the first limit.
        said: the server's words about each part that it refused by name.
    """

    sender: ProbeSender
    dialect: Dialect
    forced: bool
    ignored: set[str] = field(default_factory=set)
    heeded: set[str] = field(default_factory=set)
    refused_names: set[str] = field(default_factory=set)
    reasoning_tokens: int = 0
    said: dict[str, str] = field(default_factory=dict)
    _sent: int = 0
    _max_tokens: int = MAX_PROBE_TOKENS
    _is_lowered: bool = False
    _outcome: str = ""

    async def run(self) -> TeacherReply:
        """Find the form, and return the reply in it. `dialect` is the form.

        Raises:
            TeacherError: the server takes no form, or no reply holds any text.
            BudgetError: the caps leave no room.
        """
        usable: tuple[Dialect, TeacherReply] | None = None
        while True:
            try:
                reply = await self._text_in(self.dialect)
            except StatusError as error:
                rebuilt = await self._adapt_to(error)
                if rebuilt:
                    return rebuilt
                continue
            if self._limit_may_have_another_name:
                self.dialect = replace(self.dialect, token_limit_name=TOKEN_LIMIT_NAMES[1])
                continue
            if self._outcome in SOUND_OUTCOMES:
                return reply
            if self._outcome != "empty" and usable is None:
                usable = self.dialect, reply
            following = self._simpler_format(self.dialect)
            if following is None:
                break
            self.dialect = following
        if usable is None:
            raise TeacherError(advice.no_text(self.sender, reply.body))
        # Of forms that bring a text of another form than requested, the last is the simplest.
        if self._outcome == "empty":
            self.dialect, reply = usable
        return reply

    async def _text_in(self, dialect: Dialect) -> TeacherReply:
        """The reply in a form. An empty reply is asked for once more, with room for reasoning."""
        reply, request = await self._ask(dialect)
        if self._outcome != "empty" or _is_blank(reply):
            return reply
        if not _reasoned(reply):
            return (await self._ask(dialect))[0]
        limit = request.parameters["max_completion_tokens"]
        if self._max_tokens < MAX_GROWN_TOKENS and not self._is_lowered:
            self._max_tokens = MAX_GROWN_TOKENS
            try:
                reply, request = await self._ask(dialect)
            except StatusError as error:
                if error.kind != "context" and not limit_is_too_large(error):
                    raise
            else:
                limit = request.parameters["max_completion_tokens"]
                if not _reasoned(reply):
                    self.reasoning_tokens = output_tokens(reply)
                    return reply
        raise TeacherError(advice.only_reasons(self.sender, limit))

    async def _ask(self, dialect: Dialect) -> tuple[TeacherReply, TeacherRequest]:
        """Send the request in a form, with a smaller limit of output if the server asks for one."""
        while True:
            try:
                return await self._ask_once(dialect)
            except StatusError as error:
                if not self._lower_limit(error):
                    raise

    def _lower_limit(self, error: StatusError) -> bool:
        """Lower the limit of output that a server refuses as too large; whether that is done.

        A limit below that of later requests would be of no use, because they would be refused.
        """
        settings = self.sender.settings
        asked, usual = self._asked_limit, usual_limit(settings)
        if limit_is_too_large(error):
            limit = max(named_maximum(error, asked) or 0, usual)
        elif error.kind == "context":
            limit = usual
        else:
            return False
        if limit >= asked:
            return False
        self._max_tokens = limit - settings.teacher.reasoning_tokens
        self._is_lowered = True
        return True

    async def _ask_once(self, dialect: Dialect) -> tuple[TeacherReply, TeacherRequest]:
        """Send the request in a form; the reply of a model that reached the limit may be empty."""
        self._sent += 1
        if self._sent > MAX_FORMS:
            raise TeacherError(advice.too_many_forms(self.sender))
        request = probe_request(
            self.sender.settings,
            self.sender.endpoint,
            dialect.reply_format,
            max_tokens=self._max_tokens,
            draw=next(self.sender.draws),
        )
        try:
            reply = await self.sender.send_patiently(request, dialect)
        except StatusError as error:
            if not limit_was_reached(error):
                self._note_refusal(error, request, dialect)
                raise
            # OpenAI answers so if a model reasons until the limit.
            self.heeded.add(dialect.token_limit_name)
            reply = _EMPTY_REPLY
        self._outcome = outcome_of(reply, dialect.reply_format)
        shown = _ONLY_REASONED if self._outcome == "empty" and _reasoned(reply) else self._outcome
        self.sender.note(dialect, shown)
        limit = request.parameters["max_completion_tokens"]
        if passes_limit(reply, request):
            self.ignored.add(dialect.token_limit_name)
            self.sender.note(dialect, f"{output_tokens(reply)} tokens, {limit} allowed")
        elif ends_at_limit(reply.finish_reason) and output_tokens(reply) > limit // 2:
            self.heeded.add(dialect.token_limit_name)
        return reply, request

    @property
    def _asked_limit(self) -> int:
        """The limit of output of the next request."""
        return self._max_tokens + self.sender.settings.teacher.reasoning_tokens

    def _note_refusal(self, error: StatusError, request: TeacherRequest, dialect: Dialect) -> None:
        if limit_is_too_large(error):
            limit = request.parameters["max_completion_tokens"]
            self.sender.note(dialect, f"refused a limit of {limit} tokens")
            return
        parts = self.sender.refused_parts(error, request, dialect)
        self.sender.note(dialect, f"refused {', '.join(parts) or f'HTTP {error.status}'}")
        for part in parts:
            self.said.setdefault(part, self.sender.endpoint.redacted(error.shown))

    @property
    def _limit_may_have_another_name(self) -> bool:
        name = self.dialect.token_limit_name
        return (
            name == TOKEN_LIMIT_NAMES[0]
            and name in self.ignored
            and TOKEN_LIMIT_NAMES[1] not in self.refused_names
        )

    async def _adapt_to(self, error: StatusError) -> TeacherReply | None:
        """Change the form after a refusal; or find the best form with few parameters.

        Returns:
            The reply in that form, or None if the changed form is not tried yet.

        Raises:
            TeacherError: no change can help.
        """
        sender, dialect = self.sender, self.dialect
        stated = await advice.refusal_that_no_form_changes(sender, error, dialect)
        if stated:
            raise TeacherError(stated)
        if limit_is_too_large(error):
            raise TeacherError(advice.limit_too_large(sender, error, self._asked_limit))
        request = probe_request(sender.settings, sender.endpoint, dialect.reply_format)
        parts = sender.refused_parts(error, request, dialect)
        if "service_tier" in parts:
            raise TeacherError(
                f"The teacher has no flex processing: {error}. Set BIOINSTRUCT_SERVICE=online."
            )
        changed = dialect
        for part in parts:
            changed = self._without(changed, part) or changed
        if changed == dialect and self._back_at_an_ignored_name():
            return None
        if changed == dialect and FORMAT not in parts:
            # The words name nothing that can be changed. Formats are refused most often.
            changed = self._simpler_format(dialect) or dialect
        if changed != dialect:
            self.dialect = changed
            return None
        if FORMAT in parts:
            raise TeacherError(advice.refused(sender, error, dialect))
        return await self._rebuilt(error)

    def _back_at_an_ignored_name(self) -> bool:
        """Whether the newer name of the limit, which is ignored, takes the place of the older."""
        newer, older = TOKEN_LIMIT_NAMES
        if self.dialect.token_limit_name != older or newer not in self.ignored:
            return False
        self.refused_names.add(older)
        self.dialect = replace(self.dialect, token_limit_name=newer)
        return True

    def _without(self, dialect: Dialect, part: str) -> Dialect | None:
        """The form without a part that the server refuses; None if it can't be left out."""
        if part == SYSTEM:
            return replace(dialect, folds_system=True)
        if part == FORMAT:
            return self._simpler_format(dialect)
        if part != LIMIT:
            return replace(dialect, left_out=dialect.left_out | {part})
        self.refused_names.add(dialect.token_limit_name)
        for name in reversed(TOKEN_LIMIT_NAMES):
            # A name that is ignored is of more use than none: a later version may heed it.
            if name not in self.refused_names:
                return replace(dialect, token_limit_name=name)
        return replace(dialect, left_out=dialect.left_out | _NOTHING_SENT)

    def _simpler_format(self, dialect: Dialect) -> Dialect | None:
        place = REPLY_FORMATS.index(dialect.reply_format) + 1
        if self.forced or place == len(REPLY_FORMATS):
            return None
        return replace(dialect, reply_format=REPLY_FORMATS[place])

    async def _rebuilt(self, error: StatusError) -> TeacherReply:
        """The reply in the best form that can be built from the fewest parameters."""
        wanted = self.dialect
        least = replace(
            wanted,
            folds_system=True,
            token_limit_name=TOKEN_LIMIT_NAMES[1],
            left_out=wanted.left_out | self._optional_parameters | {"stream"},
        )
        if TOKEN_LIMIT_NAMES[1] in self.refused_names:
            least = replace(least, token_limit_name=wanted.token_limit_name)
        refused = TeacherError(advice.refused(self.sender, error, wanted))
        if least == wanted:
            raise refused
        try:
            reply = await self._text_in(least)
        except StatusError:
            raise refused from None
        self.dialect = least
        for candidate in self._richer(wanted):
            if self._sent >= MAX_FORMS - 1:
                break
            try:
                richer = await self._text_in(candidate)
            except StatusError:
                continue
            same = candidate.reply_format == self.dialect.reply_format
            if self._outcome in SOUND_OUTCOMES or (same and self._outcome != "empty"):
                self.dialect, reply = candidate, richer
        return reply

    @property
    def _optional_parameters(self) -> frozenset[str]:
        """The parameters of the request that a server may do without."""
        names = {"temperature"}
        if self.sender.settings.teacher.reasoning_effort:
            names.add("reasoning_effort")
        return frozenset(names | ({"seed"} if self.dialect.api == "chat" else {"store"}))

    def _richer(self, wanted: Dialect) -> Iterator[Dialect]:
        """Forms with one part more than the best form so far."""
        if not wanted.folds_system:
            yield replace(self.dialect, folds_system=False)
        # Not `stream`, which is of no use to the servers that refuse it.
        for name in sorted(self._optional_parameters - wanted.left_out):
            yield replace(self.dialect, left_out=self.dialect.left_out - {name})
        if not self.forced:
            for reply_format in REPLY_FORMATS[: REPLY_FORMATS.index(self.dialect.reply_format)]:
                yield replace(self.dialect, reply_format=reply_format)
                if self.dialect.reply_format == reply_format:
                    return


def _reasoned(reply: TeacherReply) -> bool:
    """Whether a reply without an answer shows that the model reasoned until the limit."""
    whole = reply.body is None  # else its end is missing, or it is no completion
    answer = answer_from(reply.content, reply.reasoning, reply.finish_reason)
    return whole and answer.cut_in_reasoning and not _is_blank(reply)


def _is_blank(reply: TeacherReply) -> bool:
    """Whether a reply is blanks alone, as some servers write them without end to fit a format."""
    return bool(reply.content) and not reply.content.strip()
