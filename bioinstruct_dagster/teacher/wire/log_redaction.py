"""The logs of libraries that hold the key, without the key.

The SDK and its transport log the headers of replies at their DEBUG level, and a server may repeat
there what it was sent. Belongs here: their loggers. Does not: our own messages (`Endpoint`).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGER_PREFIXES = ("openai", "httpx", "httpcore", "aiohttp", "asyncio")


class _Redaction(logging.Filter):
    """Takes the key out of records on their way to whichever handler."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without the key."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        if self._key in text:
            record.msg, record.args = text.replace(self._key, "[key]"), ()
            record.exc_info = record.exc_text = None
        return True


@contextmanager
def redacted_logs(key: str | None) -> Iterator[None]:
    """While it is open, the libraries that send our requests do not log the key."""
    if not key:
        yield
        return
    # A logger's filter does not see what its children log, so each has its own.
    loggers = [
        logging.getLogger(name)
        for name in list(logging.root.manager.loggerDict)
        if name.startswith(_LOGGER_PREFIXES)
    ]
    redaction = _Redaction(key)
    for logger in loggers:
        logger.addFilter(redaction)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(redaction)
