"""The log of failures: few lines, with counts, and in the server's words."""

from bioinstruct_dagster.teacher.errors import LostReplyError, StatusError, UnreachedServerError
from bioinstruct_dagster.teacher.flow.failure_log import FailureLog


class Clock:
    """A clock that the test sets."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_at_most_one_line_in_ten_seconds_tells_the_counts_and_the_latest_words():
    clock, lines = Clock(), []
    failures = FailureLog(lines.append, str, clock=clock)
    assert failures.seconds_until_due() is None
    for _ in range(1_000):  # in 100 seconds
        failures.note(StatusError(429, "Slow down."))
        failures.note(StatusError(400, '{"detail": "Odd."}'))
        failures.write_if_due()
        clock.now += 0.1
    assert len(lines) == 10
    counts = "1 × HTTP 429 (rate limit), 1 × HTTP 400"
    assert lines[0] == f"Failures so far: {counts}. The latest: HTTP 400: Odd."
    assert "9" in lines[-1].split("×")[0]


def test_the_last_failures_are_written_once_the_time_has_come():
    clock, lines = Clock(), []
    failures = FailureLog(lines.append, str, clock=clock)
    failures.note(StatusError(500, "One."))
    failures.write_if_due()
    failures.note(StatusError(500, "Two."))
    clock.now += failures.seconds_until_due() or 0
    failures.write_if_due()
    assert ["One." in lines[0], "Two." in lines[1], len(lines)] == [True, True, 2]


def test_no_line_is_a_class_name_and_none_shows_the_key():
    for error, said in (
        (LostReplyError("TimeoutError: "), "no complete reply came in time"),
        (LostReplyError("ServerDisconnectedError: Server disconnected"), "Server disconnected"),
        (UnreachedServerError("ClientConnectorError: Cannot connect to host x"), "Cannot connect"),
        (StatusError(503, "the secret"), "HTTP 503: the [key]"),
        (StatusError(503, ""), "HTTP 503: without a message"),
    ):
        lines = []
        failures = FailureLog(lines.append, lambda text: text.replace("secret", "[key]"))
        failures.note(error)
        failures.write_if_due()
        assert said in lines[0]
        assert "Error" not in lines[0]


def test_the_summary_counts_requests_and_not_attempts():
    failures = FailureLog(lambda _: None, str)
    error = StatusError(403, "Forbidden.")
    assert failures.summary() is None
    for _ in range(5):
        failures.note(error)
    failures.note_given_up(error)
    assert failures.summary() == (
        "1 requests failed: 1 × HTTP 403. The latest error: HTTP 403: Forbidden."
    )


def test_the_summary_of_requests_that_were_given_up_alone_names_no_latest_error():
    failures = FailureLog([].append, str)
    failures.note_given_up(LostReplyError("the run stopped waiting for it"))
    assert failures.summary() == "1 requests failed: 1 × no complete reply."
