"""The address and the key of a server, and hiding the key in texts.

Belongs here: what identifies a server. Does not: reading an address (addresses), connections to it
(client), or the form in which it takes requests (dialect).
"""

from dataclasses import dataclass, field

from bioinstruct_dagster.teacher.refusals import without_controls
from bioinstruct_dagster.teacher.wire.addresses import ServerAddress, read_address

_SHOWN_CHARACTERS = 300
_SHORTEST_SECRET = 16  # characters; OpenAI's keys have more than 40
_TOKEN_START = "eyJ"  # noqa: S105  # of every JSON web token, which Azure takes as a bearer


@dataclass(frozen=True)
class Endpoint:
    """The address and the key of a server.

    Attributes:
        base_url: the address of the API; None for OpenAI's own.
        api_key: the key.
        rehearsal: whether the server is the embedded rehearsal teacher.
    """

    base_url: str | None
    api_key: str = field(repr=False)
    rehearsal: bool

    @property
    def parts(self) -> ServerAddress:
        """The parts of the address.

        Raises:
            TeacherError: nothing can be sent to the address.
        """
        return read_address(self.base_url)

    @property
    def address(self) -> str:
        """The address without credentials and query, so that it may be stored and shown."""
        return self.parts.base

    @property
    def authentication(self) -> dict[str, str]:
        """The headers that carry the key.

        Azure takes a key in the header `api-key` and a token of Entra as a bearer. A gateway before
        Azure may read either header, so it gets both.
        """
        bearer = {"Authorization": f"Bearer {self.api_key}"}
        named = {"api-key": self.api_key}
        if self.api_key.startswith(_TOKEN_START):
            return bearer
        if self.parts.is_azure:
            return named
        return bearer | named if self.parts.has_api_version else bearer

    @property
    def secret(self) -> str | None:
        """The key, or None if it is too short to be secret.

        A local server takes any word for a key. Such a word may occur in a reply, and hiding the
        word would damage the reply.
        """
        return self.api_key if len(self.api_key) >= _SHORTEST_SECRET else None

    def redacted_bytes(self, data: bytes) -> bytes:
        """The bytes of a reply without the key, so that a key that it repeats is not stored."""
        key = self.secret.encode() if self.secret else None
        return data.replace(key, b"[key]") if key and key in data else data

    def without_key(self, text: str) -> str:
        """A whole text without the key."""
        return text.replace(self.secret, "[key]") if self.secret else text

    def redacted(self, text: str) -> str:
        """The beginning of a text of the server or of a library, without the key.

        What controls a terminal goes first: it could stand inside the key.
        """
        return self.without_key(without_controls(text))[:_SHOWN_CHARACTERS]
