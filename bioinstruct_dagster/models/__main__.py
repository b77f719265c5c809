"""`python -m bioinstruct_dagster.models adapters | chat | merge | serve-line`: use adapters.

`adapters` lists all of them. `chat` reads instructions from the standard input and answers each by
the base model and by the adapter. `merge` writes a model folder that needs no peft. `serve-line`
prints the command that serves adapters by vLLM.
"""

import argparse
import os
import sys
from pathlib import Path

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.commands.chat import MOST_TOKENS, chat
from bioinstruct_dagster.models.commands.found_adapter import (
    existing_adapters,
    find_adapter,
    tell_of_older,
)
from bioinstruct_dagster.models.commands.listing import listed_adapters
from bioinstruct_dagster.models.commands.merge import merge
from bioinstruct_dagster.models.commands.serve_line import serve_line
from bioinstruct_dagster.settings import Settings, load_settings


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _chat(arguments: argparse.Namespace, settings: Settings) -> None:
    found = find_adapter(settings, arguments.experiment, arguments.adapter)
    tell_of_older(settings, [found], _log)
    opened = found.open(_log)
    if sys.stdin.isatty():
        _log("Write an instruction in a line, if needed a tab and its input. Ctrl-D ends.")
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    chat(
        opened,
        sys.stdin,
        lambda line: print(line, flush=True),
        most_tokens=arguments.most_tokens,
    )


def _merge(arguments: argparse.Namespace, settings: Settings) -> None:
    found = find_adapter(settings, arguments.experiment, arguments.adapter)
    tell_of_older(settings, [found], _log)
    if arguments.dtype:
        found = found.with_dtype(arguments.dtype)
    merge(found, arguments.target, _log)


def _serve_line(arguments: argparse.Namespace, settings: Settings) -> None:
    found = existing_adapters(settings, arguments.experiments, _log)
    tell_of_older(settings, found, _log)
    for base_model in dict.fromkeys(one.base_model for one in found):
        of_base = [one for one in found if one.base_model == base_model]
        print(serve_line(of_base, _log))


def _adapters(_arguments: argparse.Namespace, settings: Settings) -> None:
    found = listed_adapters(settings)
    for one in found:
        print(one.line())
    if not found:
        print(f"There is no adapter in {settings.store.data_dir / 'adapters'}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bioinstruct_dagster.models")
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("adapters", help="list all adapters")
    listing.set_defaults(work=_adapters)
    talk = commands.add_parser("chat", help="answer lines by an adapter and by its base model")
    talk.add_argument(
        "--most-tokens", type=int, default=MOST_TOKENS, help="of an answer (%(default)s)"
    )
    talk.set_defaults(work=_chat)
    into = commands.add_parser("merge", help="merge an adapter into its base model")
    into.set_defaults(work=_merge)
    for command in (talk, into):
        command.add_argument("experiment", help="such as 'rehearsal-llama|all'")
        command.add_argument(
            "--adapter", type=Path, help="the adapter's folder; without it, the newest one"
        )
    into.add_argument("target", type=Path, help="the folder to write; it must not be there")
    into.add_argument(
        "--dtype",
        choices=("float32", "bfloat16", "float16"),
        help="type of the merged weights; without it, that of the base model",
    )
    serve = commands.add_parser("serve-line", help="print the command that serves adapters by vLLM")
    serve.add_argument(
        "experiments", nargs="+", help="names or patterns; each base model gets a line"
    )
    serve.set_defaults(work=_serve_line)
    return parser


@quiet_on_closed_pipe
def main() -> int:
    """Carry out a command. Returns exit status 1 if it fails, with a message."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    arguments = _parser().parse_args()
    try:
        arguments.work(arguments, load_settings())
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
