"""Fixtures of tests that send requests to a teacher."""

from bioinstruct_dagster_tests.teacher.answering_servers import (  # noqa: F401
    refuse,
    reply,
    requests_of,
    series_of,
    serve,
    shipped_seeds,
)
