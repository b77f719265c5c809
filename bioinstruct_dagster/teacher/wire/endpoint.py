"""The address and the key of a server, and hiding the key in texts.

Belongs here: what identifies a server. Does not: connections to it (client), or the form in which
it takes requests (dialect).
"""

from dataclasses import dataclass, field

_SHOWN_CHARACTERS = 300
_SHORTEST_SECRET = 16  # characters; OpenAI's keys have more than 40


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
    def address(self) -> str:
        """The address without credentials and query, so that it may be stored and shown."""
        from urllib.parse import urlsplit

        parts = urlsplit(self.base_url or "https://api.openai.com/v1")
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}".rstrip("/")

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

    def redacted(self, text: str) -> str:
        """The beginning of a text of the server or of a library, without the key."""
        hidden = text.replace(self.secret, "[key]") if self.secret else text
        return hidden[:_SHOWN_CHARACTERS]
