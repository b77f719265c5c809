"""The command `bioinstruct-rehearsal-server`: a stand-in for OpenAI's API, for any client.

Belongs here: the command line. Does not: which options are valid (options), or serving (app).
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.rehearsal.api_server.app import RehearsalTeacher, start_server
from bioinstruct_dagster.rehearsal.api_server.options import (
    FAULTS,
    FORMATS,
    SERVICE_TIERS,
    ServerOptions,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings

_USAGE_STATUS = 2  # argparse has this exit status too

# Option, type and help of each field of ServerOptions that is a single value.
_VALUE_OPTIONS: tuple[tuple[str, Any, str], ...] = (
    ("latency", float, "seconds that every answer takes"),
    ("rpm", float, "requests admitted a minute (no limit if left out)"),
    ("tpm", float, "tokens, of prompt and answer, admitted a minute (no limit if left out)"),
    ("burst-seconds", float, "seconds of the limit that may be spent at once"),
    ("fault-seed", int, "seed of the choice of requests that meet a fault"),
    ("fault-attempts", int, "most faults that one request meets (no limit if left out)"),
    ("key", str, "the only accepted API key (if left out, a request needs no key)"),
    ("quota-requests", int, "answers after which every request gets insufficient_quota"),
    ("batch-seconds", float, "seconds from a batch's creation to its completion"),
    ("batch-expire-share", float, "share of a batch's lines that expire unanswered"),
    ("batch-max-lines", int, "lines that a batch may have"),
    ("batch-max-bytes", int, "bytes that a batch's input file may have"),
    ("batch-token-limit", int, "prompt tokens in open batches (no limit if left out)"),
    ("state-dir", Path, "folder in which files and batches survive a restart"),
    ("answer-tokens", int, "tokens that every answer counts, whatever its length"),
    ("prompt-tokens", int, "tokens that every prompt counts, whatever its length"),
    ("slow-seconds", float, "seconds over which the fault `slow` spreads a reply"),
)


@quiet_on_closed_pipe
def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status."""
    try:
        options, host, port = read_command_line(argv)
        teacher = RehearsalTeacher(read_recordings(), options=options)
    except StatedError as error:
        return _report_error(str(error))
    try:
        asyncio.run(_serve(teacher, host, port))
    except OSError as error:
        return _report_error(
            f"can't listen at {host}:{port} ({error.strerror or error}). Choose another --host or "
            "--port; --port 0 takes a free port."
        )
    return 0


def read_command_line(argv: Sequence[str] | None) -> tuple[ServerOptions, str, int]:
    """The options, host and port of a command line.

    Raises:
        OptionsError: the options are invalid or contradict each other.
        SystemExit: argparse can't read the command line; it has written the reason.
    """
    values = vars(_parser().parse_args(argv))
    host, port = values.pop("host"), values.pop("port")
    values["faults"] = dict(values.pop("fault"))
    values["formats"] = FORMATS if values["formats"] is None else frozenset(values["formats"])
    values["service_tiers"] = SERVICE_TIERS - ({"flex"} if values.pop("no_flex") else set())
    return ServerOptions(**values), host, port


async def _serve(teacher: RehearsalTeacher, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    runner, base_url = await start_server(teacher, host, port)
    try:
        # The key itself is not shown, because it may be a real one.
        key = "rehearsal" if teacher.options.key is None else "<the --key>"
        sys.stdout.write(
            f"Serving at {base_url} - point a client at it with "
            f"OPENAI_BASE_URL={base_url} OPENAI_API_KEY={key} (end with Ctrl-C)\n"
        )
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bioinstruct-rehearsal-server",
        description=(
            "Serve the recorded completions as OpenAI's API does: chat completions, responses, "
            "files and batches, with the given rate limits and faults. GET /rehearsal/ledger "
            "shows the counts of requests, tokens and errors; POST /rehearsal/reset resets them."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument(
        "--port", type=_port, default=0, help="port to listen at; 0 takes a free one"
    )
    defaults = {
        field.name: None if field.default is MISSING else field.default
        for field in fields(ServerOptions)
    }
    for name, kind, text in _VALUE_OPTIONS:
        default = defaults[name.replace("-", "_")]
        shown = text if default is None else f"{text} ({default})"
        parser.add_argument(f"--{name}", type=kind, default=default, help=shown)
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="share of requests that meet a fault; repeat the option for several faults: "
        + ", ".join(FAULTS),
    )
    parser.add_argument(
        "--formats",
        nargs="*",
        choices=sorted(FORMATS),
        help="the structured response formats accepted (all; none if no name follows)",
    )
    parser.add_argument("--no-flex", action="store_true", help="don't serve the flex tier")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"{text} is not a port; give a number from 0 to 65535")
    return port


def _fault(text: str) -> tuple[str, float]:
    name, equals, share = text.partition("=")
    if name not in FAULTS or not equals:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=SHARE with one of the names {', '.join(FAULTS)}"
        )
    try:
        return name, float(share)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{share!r} is not a share; give a number from 0 to 1"
        ) from None


def _report_error(message: str) -> int:
    sys.stderr.write(f"bioinstruct-rehearsal-server: error: {message}\n")
    return _USAGE_STATUS


if __name__ == "__main__":
    raise SystemExit(main())
