"""The logs of libraries never show the key."""

import logging

from bioinstruct_dagster.teacher.wire.log_redaction import redacted_logs

KEY = "sk-of-the-tests-0123456789"


def test_a_librarys_log_shows_no_key(caplog):
    logger = logging.getLogger("openai._base_client")
    filters = list(logger.filters)  # the SDK may have one of its own
    with caplog.at_level(logging.DEBUG), redacted_logs(KEY):
        logger.debug("headers: %s", {"x-echo": KEY})
        try:
            raise ValueError(KEY)
        except ValueError:
            logger.exception("failed")
    assert KEY not in caplog.text
    assert caplog.text.count("[key]") == 2
    assert logger.filters == filters


def test_other_logs_and_a_missing_key_change_nothing(caplog):
    own = logging.getLogger("bioinstruct_dagster.tests")
    with caplog.at_level(logging.DEBUG):
        with redacted_logs(KEY):
            own.debug("of ours: %s", KEY)
        with redacted_logs(None):
            logging.getLogger("openai").debug("of theirs: %s", KEY)
    assert caplog.text.count(KEY) == 2
