"""Keeps the key out of the logs of libraries.

The SDK and its transport log the headers of replies at the level DEBUG, and a server may repeat the
key in a header. Belongs here: the loggers of libraries. Does not: messages of this package
(`Endpoint.redacted`).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGER_PREFIXES = ("openai", "httpx", "httpcore", "aiohttp", "asyncio")


class _Redaction(logging.Filter):
    """Replaces the key in log records, before any handler receives them."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, after the key in it was replaced."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        if self._key in text:
            record.msg, record.args = text.replace(self._key, "[key]"), ()
            record.exc_info = record.exc_text = None
        return True


@contextmanager
def redacted_logs(key: str | None) -> Iterator[None]:
    """While the context is open, the libraries that send requests do not log the key."""
    if not key:
        yield
        return
    # A logger's filter does not see the records of its children, so each logger gets the filter.
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
