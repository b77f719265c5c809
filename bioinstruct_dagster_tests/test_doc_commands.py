"""Every command in the pages: it names what exists, its options parse, and cheap ones are run.

Commands for GPUs, clouds, other servers and long benchmarks are only parsed. The whole tutorial
is run by a slow test.
"""

import argparse
import importlib.util
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import dagster as dg
import pytest
import yaml
from dagster._cli import create_dagster_cli

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.rehearsal.api_server.app import serve_recordings
from bioinstruct_dagster.rehearsal.api_server.cli import read_command_line
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS, PROJECT_ROOT, Settings, load_settings
from bioinstruct_dagster.settings.reading import PLACES
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.conftest import TINY_EXPERIMENTS
from bioinstruct_dagster_tests.doc_commands import Command, blocks, commands, cut, pages
from bioinstruct_dagster_tests.references import anchors_of

COMMANDS = [command for path in pages() for command in commands(path)]
# Programs that no package of this project installs, or that every shell has.
PROGRAMS = {
    "cat", "cp", "docker", "export", "helm", "kubectl", "ln", "llama-server", "mkdir", "ray",
    "rsync", "source", "vllm",
}  # fmt: skip
# Variables of other programs.
VARIABLES = {"DAGSTER_HOME", "HF_TOKEN", "PIP_EXTRA_INDEX_URL"}
# Commands that only read, and are run on a store with rows: module, and the word after it.
RUN = {
    ("bioinstruct_dagster.store", None),
    ("bioinstruct_dagster.report", None),
    ("bioinstruct_dagster.curation", "why"),
    ("bioinstruct_dagster.generation", "preview"),
    ("bioinstruct_dagster.models", "adapters"),
    ("bioinstruct_dagster.eval_sets", ""),  # without a word; with one, it downloads
}
TUTORIAL = PROJECT_ROOT / "docs" / "tutorial.md"
LINK = re.compile(r"!?\[[^\]\[]*\]\(([^()\s]+)\)")


class ParsedError(Exception):
    """Raised in place of the work that a command would do after it has read its arguments."""


@cache
def makefile() -> str:
    return (PROJECT_ROOT / "Makefile").read_text("utf-8")


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_defs(Settings.of(data_dir=tmp_path_factory.mktemp("defs")))


def module_of(command: Command) -> str | None:
    """The module of `python -m`; None for other commands."""
    is_python = Path(command.words[0]).name == "python"
    return command.words[2] if is_python and command.words[1:2] == ("-m",) else None


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.place)
def test_a_command_of_a_page_names_what_exists_and_its_options_parse(
    command, defs, monkeypatch, tmp_path
):
    for name, value in command.environment.items():
        assert name in PLACES or name in VARIABLES, name
        if name in PLACES:
            monkeypatch.setenv(name, value)
    load_settings(tmp_path / ".env")  # refuses a wrong value
    if module := module_of(command):
        parse_module(module, command.words[3:], monkeypatch)
    elif (program := Path(command.words[0]).name) in PARSERS:
        PARSERS[program](command, defs)
    else:
        assert program in PROGRAMS, program


def parse_module(module: str, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the module read its arguments, and stop it there."""
    if module == "pytest":
        assert all((PROJECT_ROOT / word).exists() for word in arguments if word[0] != "-")
        return
    spec = importlib.util.find_spec(module)
    assert spec, module
    spec = (
        importlib.util.find_spec(f"{module}.__main__") if spec.submodule_search_locations else spec
    )
    assert spec
    assert spec.origin
    if "argparse" not in Path(spec.origin).read_text("utf-8"):
        assert not arguments
        return
    parse_args = argparse.ArgumentParser.parse_args

    def stop(parser: argparse.ArgumentParser, *given: object) -> None:
        parse_args(parser, *given)  # exits if an option is wrong
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    monkeypatch.delitem(sys.modules, spec.name, raising=False)
    with pytest.raises(ParsedError):
        runpy.run_module(module, run_name="__main__")


def parse_make(command: Command, defs: dg.Definitions) -> None:
    for word in command.words[1:]:
        variable, given, _ = word.partition("=")
        if given:
            assert f"$({variable})" in makefile() or f"$(if $({variable})" in makefile()
        else:
            assert re.search(rf"^{re.escape(word)}:", makefile(), re.MULTILINE), word


def parse_pip(command: Command, defs: dg.Definitions) -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [extras] = re.findall(r"\[([\w-]+)\]", " ".join(command.words))
    assert extras == "NAME" or extras in project["optional-dependencies"]


def parse_dagster(command: Command, defs: dg.Definitions) -> None:
    names, arguments = command.words[1:3], list(command.words[3:])
    group: click.Command = create_dagster_cli()
    for name in names:
        assert isinstance(group, click.Group)
        found = group.get_command(click.Context(group), name)
        assert found, name
        group = found
    if "-c" in arguments:
        at = arguments.index("-c") + 1
        written = {c.words[2] for c in COMMANDS if c.page == command.page and c.heredoc}
        said = f"`{arguments[at]}`" in (PROJECT_ROOT / command.page).read_text("utf-8")
        # A file that the page tells the reader to write; any file that is there parses.
        if arguments[at] in written or ("/" not in arguments[at] and said):
            arguments[at] = "pyproject.toml"
        arguments[at] = str(PROJECT_ROOT / arguments[at])
    options = group.make_context(" ".join(names), arguments).params
    if names == ("asset", "materialize"):
        selected(defs, options["select"], options["partition"])
    else:
        assert names == ("job", "execute")
        defs.resolve_job_def(options["job_name"])


def parse_dg(command: Command, defs: dg.Definitions) -> None:
    from dagster_dg_cli.cli.launch import launch_command

    assert command.words[1] == "launch"
    options = launch_command.make_context("launch", list(command.words[2:])).params
    selected(defs, options["assets"], options["partition"])


def selected(defs: dg.Definitions, selection: str, partition: str | None) -> None:
    """Resolve a selection; a partition must be given exactly if assets have partitions."""
    graph = defs.resolve_asset_graph()
    # Dagster cuts at commas, too.
    keys = dg.AssetSelection.from_coercible(selection.split(",")).resolve(graph)
    assert keys, selection
    partitioned = [key for key in keys if graph.get(key).partitions_def]
    assert bool(partitioned) == bool(partition), selection
    for key in partitioned:
        definition = graph.get(key).partitions_def
        assert definition
        assert definition.has_partition_key(str(partition)), partition


PARSERS: dict[str, Callable[[Command, dg.Definitions], None]] = {
    "make": parse_make,
    "pip": parse_pip,
    "dagster": parse_dagster,
    "dg": parse_dg,
    "bioinstruct-rehearsal-server": lambda command, _: (
        read_command_line(command.words[1:]) and None
    ),
    "pre-commit": lambda command, _: None,
    "python": lambda command, _: compile(command.words[2], "-c", "exec") and None,
}


# A store with rows, and the commands that read it.


@pytest.fixture
def prepared(settings: Settings, store: Store, dataset_rows: list[dict[str, Any]]) -> Store:
    """The settings' store with the shipped seeds and recorded raw rows."""
    fields = ("row_id", "source", "instruction", "input", "output", "rehearsal")
    raw = [
        {
            **{name: row[name] for name in fields},
            "ordinal": n,
            "position": 0,
            "source": "import:a@b",
        }
        for n, row in enumerate(dataset_rows)
    ]
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    store.replace(
        {
            "seed_tasks": [seed.to_row(n) for n, seed in enumerate(seeds)],
            "raw_instructions": raw,
        }
    )
    return store


def is_run(command: Command) -> bool:
    module, [first, *_] = module_of(command), [*command.words[3:], ""]
    reads = (module, None) in RUN or (module, first) in RUN
    return reads and "--ask" not in command.words


def once(found: Iterable[Command]) -> list[Command]:
    """The commands without those that an earlier one repeats."""
    return list({command.words: command for command in reversed(list(found))}.values())


@pytest.mark.parametrize("command", once(filter(is_run, COMMANDS)), ids=lambda one: one.place)
def test_a_command_that_only_reads_succeeds(command, prepared, monkeypatch, capsys):
    [row] = prepared.rows("select row_id from raw_instructions limit 1")
    words = [word.replace("<row_id>", row["row_id"]) for word in command.words]
    monkeypatch.setattr(sys, "argv", words[2:])
    for name in (words[2], f"{words[2]}.__main__"):
        if name.endswith(("__main__", "report")):
            monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(words[2], run_name="__main__")
    assert not ended.value.code, capsys.readouterr().err


def statements() -> Iterator[tuple[str, str]]:
    """The statements in the pages' blocks of SQL, each with its place."""
    for path in pages():
        for line, block in blocks(path.read_text("utf-8"), "sql"):
            bare = re.sub(r"--.*", "", block)
            for statement in filter(str.strip, bare.split(";")):
                yield f"{path.relative_to(PROJECT_ROOT)}:{line}", statement


@pytest.mark.parametrize(("place", "statement"), list(statements()))
def test_a_statement_of_a_page_runs(place, statement, store):
    store.replace({})
    store.rows(statement)


# Links, including those in pages below docs/.


@pytest.mark.parametrize(
    "path", pages(), ids=lambda path: path.relative_to(PROJECT_ROOT).as_posix()
)
def test_links_and_anchors_of_a_page_resolve(path):
    faults = []
    for target in LINK.findall(path.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        found = (path.parent / name) if name else path
        if not found.exists() or (anchor and anchor not in anchors_of(found.read_text("utf-8"))):
            faults.append(target)
    assert not faults


# The tutorial.


def test_the_tutorials_files_are_valid(tmp_path, defs):
    files = {c.words[2]: c.heredoc for c in COMMANDS if c.heredoc and c.page == "docs/tutorial.md"}
    (tmp_path / "seeds.jsonl").write_text(files["data/my_seeds.jsonl"], "utf-8")
    seeds = read_seed_tasks(tmp_path / "seeds.jsonl")
    assert len({seed.category for seed in seeds}) == 4
    study = yaml.safe_load(files["data/my_study.yaml"])
    assert dg.validate_run_config(defs.resolve_job_def("study"), study)


def test_a_block_is_cut_as_a_shell_would():
    block = """\
export BIOINSTRUCT_SEED=1    # Dagster's "own"
make demo && X=2 python -m a \\
    'b # c'
python -m s "
    select 1"
cat > f <<'END'
make nothing
END
export BIOINSTRUCT_REQUESTS=2
"""
    found = [(c.words, c.environment, c.heredoc) for c in cut(block, "p.md", 1)]
    exported = {"BIOINSTRUCT_SEED": "1"}
    assert found == [
        (("make", "demo"), exported, ""),
        (("python", "-m", "a", "b # c"), {**exported, "X": "2"}, ""),
        (("python", "-m", "s", "\n    select 1"), exported, ""),
        (("cat", ">", "f"), exported, "make nothing\n"),
        (("export",), {**exported, "BIOINSTRUCT_REQUESTS": "2"}, ""),
    ]
    with pytest.raises(ValueError, match=r"p\.md:1"):
        list(cut("python 'a\n", "p.md", 1))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_the_tutorial_works_as_written(tmp_path):
    """All its commands but those that install, serve, or need the real model."""
    left_out = ("make ", "source ", "bioinstruct-rehearsal-server", "smollm2-135m")
    text = TUTORIAL.read_text("utf-8")
    lines = [line for _, block in blocks(text, "sh") for line in block.splitlines()]
    kept = [line for line in lines if not any(word in line for word in left_out)]
    (tmp_path / "home").mkdir()
    shutil.copy(PROJECT_ROOT / ".dagster_home" / "dagster.yaml", tmp_path / "home")
    (tmp_path / "experiments.yaml").write_text(
        TINY_EXPERIMENTS.replace(
            "  information_extraction: {categories: [information_extraction]}",
            "  generation: {categories: [generation], seed: [1, 2]}",
        ).replace("other]}", "other], seed: [1, 2]}"),
        "utf-8",
    )
    with serve_recordings() as address:
        script = "\n".join(kept).replace("http://127.0.0.1:8000/v1", address)
        script = script.replace("data/", f"{tmp_path}/").replace(
            "$PWD/.dagster_home", f"{tmp_path}/home"
        )
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT_ROOT),
            "BIOINSTRUCT_EXPERIMENTS": str(tmp_path / "experiments.yaml"),
            "BIOINSTRUCT_EVALUATE_TASKS": "held_out",
            "BIOINSTRUCT_EVALUATION_ITEMS": "3",
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    store = Store(tmp_path / "tutorial" / "bioinstruct.duckdb", timeout=30)
    [counts] = store.rows("select count(*) as seeds from seed_tasks")
    assert counts["seeds"] == 4
    [made] = store.rows("select count(*) as adapters from lora_adapter")
    assert made["adapters"] == 4
