"""Every module, file, table, setting and function that a page or a docstring names exists."""

from collections.abc import Iterable
from functools import cache

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.references import (
    Mention,
    Project,
    anchors_of,
    mentions_in_docstrings,
    mentions_in_page,
    read_project,
)

PAGES = [PROJECT_ROOT / "README.md", PROJECT_ROOT / "CONTRIBUTING.md"]
# Those below docs/reference are made from the code, and quote it without marks.
PAGES += sorted((PROJECT_ROOT / "docs").glob("*.md"))
PAGES += sorted((PROJECT_ROOT / "docs" / "how-to").glob("*.md"))
SOURCES = [
    path for folder in ("bioinstruct_dagster", "benchmarks")
    for path in sorted((PROJECT_ROOT / folder).rglob("*.py"))
    if ".peers" not in path.parts  # other software, installed by a benchmark
]  # fmt: skip

# Names that are right although nothing here is called so. Each says why.
ALLOWED = {
    "ALL_PROXY": "a variable of the environment that many programs read",
    "HTTPS_PROXY": "a variable of the environment that many programs read",
    "NO_PROXY": "a variable of the environment that many programs read",
    "priority": "a service tier of OpenAI",
    "all.jsonl": "a file that a command writes",
    "BioInstruct": "the data set of the paper",
    "bioinstruct.duckdb.lock": "made beside the store while a run writes",
    "errors.data": "a field of OpenAI's batch object",
    "FlopCounterMode": "of torch, counts the operations of a pass",
    "find_query_ngrams": "a method of datatrove's decontamination filter",
    "Janitor.clean_cpp": "of lm-evaluation-harness",
    "McNemar": "a statistician, whose test compares right and wrong answers of two models",
    "MinHash.generator": "of datasketch",
    "notes.jsonl": "a file that a user writes",
    "data/my_controls.yaml": "a file that a user writes",
    "data/my_rules.yaml": "a file that a user writes",
    "data/my_seeds.jsonl": "a file that a user writes",
    "data/my_study.yaml": "a file that a user writes",
    "scored.jsonl": "a file that a command writes",
    "owner/name": "the form of an id on the Hugging Face hub",
    "review/filled": "a folder that a user makes in the data folder",
    "PeftModel.from_pretrained": "of peft",
    "process.cdist": "of rapidfuzz",
    "publish.yaml": "a file that a user writes",
    "ru_maxrss": "of Python's resource module",
    "_score_lcs": "a function of rouge_score",
    "scorer.score": "of rouge_score",
    "SentenceTransformer.save": "of sentence-transformers",
    "stanford_alpaca": "a repository on GitHub",
    "TensorBoard": "a program that shows the metrics of training",
}


@cache
def project() -> Project:
    return read_project(PROJECT_ROOT)


def is_known(mention: Mention, known: Project) -> bool:
    name = mention.name
    near = mention.file.removesuffix(".py").replace("/", ".") if ".py" in mention.file else ""
    exists = {
        "make target": lambda: name in known.targets,
        "module": lambda: known.has_module(name, near),
        "setting": lambda: known.has_setting(name),
        "file": lambda: known.has_path(name, mention.file),
        "path": lambda: known.has_path(name, mention.file),
        "dotted name": lambda: known.has_dotted(name, near),
        "link": lambda: has_link(mention, known),
        "name": lambda: known.has_name(name, of_a_parameter=bool(near)),
    }
    return exists[mention.kind]()


def has_link(mention: Mention, known: Project) -> bool:
    path, _, anchor = mention.name.partition("#")
    target = ((known.root / mention.file).parent / path) if path else known.root / mention.file
    if not target.exists():
        return False
    return not anchor or anchor in anchors_of(target.read_text("utf-8"))


def unknown(mentions: Iterable[Mention]) -> list[str]:
    return sorted({str(each) for each in mentions if not is_known(each, project())})


@cache
def in_pages() -> list[Mention]:
    return [
        mention
        for path in PAGES
        for mention in mentions_in_page(
            path.read_text("utf-8"), path.relative_to(PROJECT_ROOT).as_posix()
        )
    ]


@cache
def in_docstrings() -> list[Mention]:
    return [
        mention
        for path in SOURCES
        for mention in mentions_in_docstrings(
            path.read_text("utf-8"), path.relative_to(PROJECT_ROOT).as_posix()
        )
    ]


def listed(faults: list[str]) -> str:
    return "these names exist nowhere:\n" + "\n".join(faults)


@pytest.mark.parametrize("page", [path.relative_to(PROJECT_ROOT).as_posix() for path in PAGES])
def test_a_page_names_what_exists(page):
    mentions = (each for each in in_pages() if each.file == page and each.name not in ALLOWED)
    faults = unknown(mentions)
    assert not faults, listed(faults)


def test_docstrings_name_what_exists():
    faults = unknown(each for each in in_docstrings() if each.name not in ALLOWED)
    assert not faults, listed(faults)


def test_every_allowed_name_is_still_mentioned_and_unknown():
    mentioned = [*in_pages(), *in_docstrings()]
    needed = {each.name for each in mentioned if not is_known(each, project())}
    # After `make demo`, the lock is there, so its name is known.
    assert ALLOWED.keys() - {"bioinstruct.duckdb.lock"} <= needed


@pytest.mark.parametrize(
    "text",
    [
        "See `no_such_table`.", "See `NoSuchClass`.", "See `no_such_call(rows)`.",
        "See `store/no_such.py`.", "See `no_such.py`.", "See docs/no_such.md.",
        "See `store.no_such_module`.", "See `Store.no_such_method`.", "See `verdicts.no_column`.",
        "Run `make nosuchtarget`.", "```sh\nmake nosuchtarget\n```", "`python -m benchmarks.none`",
        "Set `BIOINSTRUCT_NO_SUCH`.", "```sh\nBIOINSTRUCT_NO_SUCH=1 make demo\n```",
        "[a](no_such.md)", "[a](docs/store.md#no-such-heading)", "![a](docs/images/none.png)",
        "Keys are `row_id, no_such_column`.", "`select * from no_such_view`", "`key:no_such_asset`",
    ],
)  # fmt: skip
def test_a_page_with_an_invented_name_is_found_out(text):
    assert len(unknown(mentions_in_page(f"\n\n{text}\n", "README.md"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "See `verdicts`, `row_id` and `verdicts.row_id`, or `Store.replace`.",
        "See `store/database.py`, `database.py`, docs/store.md and `data/experiments.yaml`.",
        "See `store.journal` and `bioinstruct_dagster.store.database.Store`.",
        "See `datasets.load_dataset(path)`, `data/hf_dataset` and `build_defs(settings)`.",
        "Run `make demo`; make sure of it.", "```sh\nmake demo\n```",
        "`python -m benchmarks.privacy`",
        "Set `BIOINSTRUCT_DATA_DIR` and `OPENAI_API_KEY`.",
        "[a](docs/store.md) and [b](https://example.org/no_such.md)",
        "Keys are `row_id, gate`.", "`select * from funnel`", "`key:hf_dataset`",
    ],
)  # fmt: skip
def test_a_page_with_real_names_passes(text):
    assert unknown(mentions_in_page(f"\n\n{text}\n", "README.md")) == []


@pytest.mark.parametrize(
    "text",
    [
        "Rows. Belongs here: rows. Does not: columns (no_such).",
        "Rows. Belongs here: rows. Does not: columns (journal).",  # in the store, not in curation
        "Rows. Belongs here: rows. Does not: the rest (verdicts, no_such).",
        "Rows as no_such_function made them.", "Rows of a NoSuchClass.", "Rows of docs/no_such.md.",
        "Rows.\n\nRaises:\n    NoSuchError: always.\n",
    ],
)  # fmt: skip
def test_a_docstring_with_an_invented_name_is_found_out(text):
    source = f'"""{text}"""\n'
    found = unknown(mentions_in_docstrings(source, "bioinstruct_dagster/curation/gates.py"))
    assert {line.partition(" ")[0] for line in found} == {
        f"bioinstruct_dagster/curation/gates.py:{1 if 'Raises' not in text else 4}:"
    }


def test_a_docstring_with_real_names_passes():
    text = (
        "Rows of `verdicts`, by row_id.\n\nBelongs here: rows (verdicts, store.journal). Does not: "
        "files (docs/store.md),\nor the rest (quality.gate).\n\nRaises:\n    StoreError: always.\n"
    )
    found = mentions_in_docstrings(f'"""{text}"""\n', "bioinstruct_dagster/curation/gates.py")
    assert unknown(found) == []
