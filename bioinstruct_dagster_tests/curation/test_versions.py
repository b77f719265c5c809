"""A gate's version changes if its verdicts could change, and only then."""

import ast
import inspect
import json
import os
import shutil
import subprocess
import sys

import pytest

from bioinstruct_dagster.curation.category.classifier import CategoryClassifier
from bioinstruct_dagster.curation.category.examples import LabelledExample
from bioinstruct_dagster.curation.category.inputs import commonest_kinds
from bioinstruct_dagster.curation.contamination.gate import ContaminationGate
from bioinstruct_dagster.curation.contamination.limits import ComparedItems
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.novelty.gate import CHECKING_CODE as NOVELTY_CODE
from bioinstruct_dagster.curation.novelty.gate import check_novelty_from_first_change
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
from bioinstruct_dagster.curation.quality.gate import QualityGate, _check_of
from bioinstruct_dagster.curation.quality.rules import AnyRule, TruncatedRule
from bioinstruct_dagster.curation.source_code import PACKAGE_FOLDER, SourceCodeError
from bioinstruct_dagster.curation.versions import (
    FOLLOWED_MODULES,
    code_version,
    library_version,
    reached_definitions,
)
from bioinstruct_dagster.eval_sets.items import EvaluationItem, collect_items
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.gate_order import GATE_ORDER

CURATION = "bioinstruct_dagster/curation/"
PRINT_VERSIONS = """
import json
from bioinstruct_dagster.curation.category.classifier import classifier_version
from bioinstruct_dagster.curation.category.examples import LabelledExample
from bioinstruct_dagster.curation.category.labelling import Labelling
from bioinstruct_dagster.curation.contamination.gate import ContaminationGate
from bioinstruct_dagster.curation.contamination.limits import ComparedItems
from bioinstruct_dagster.curation.novelty.gate import novelty_version
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
from bioinstruct_dagster.curation.quality.gate import QualityGate
from bioinstruct_dagster.eval_sets.items import collect_items
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.feeds import Tally

quality = QualityGate()
row_gates = [quality, PrivacyGate(), ContaminationGate(ComparedItems.of(collect_items([])))]
versions = {gate.name: gate.version for gate in row_gates}
versions["novelty"] = novelty_version([NamedInstruction("seed-1", "Name the antidote.")])
classifier = classifier_version([LabelledExample("Name the antidote.", "other")])
versions["category"] = sha256_of(Labelling([], Tally(), versions={"own": classifier}).made_of)
rules = {rule.id: rule.version for rule in quality.rules}
kinds = {rule.id: rule.kind for rule in quality.rules}
print(json.dumps({"gates": versions, "rules": rules, "kinds": kinds}))
"""
# For each gate: a module, a comparison in it, and another comparison that replaces it.
CHANGED_COMPARISONS = {
    "quality": ("quality/gate.py", 'if rule.verdict == "repair"', 'if rule.verdict != "keep"'),
    "privacy": (
        "privacy/scan.py",
        "span.score >= IDENTIFYING_SCORE",
        "span.score > IDENTIFYING_SCORE",
    ),
    "contamination": ("contamination/overlap.py", "if size > best[0]:", "if size >= best[0]:"),
    "novelty": ("novelty/pairs.py", "if total >= 2 * self", "if total > 2 * self"),
    "category": (
        "category/labelling.py",
        "confidence < review_below",
        "confidence <= review_below",
    ),
}
# The same for each of three kinds of quality rules.
CHANGED_COMPARISONS_OF_KINDS = {
    "length": ("quality/wording.py", "min(least, least_asked)", "max(least, least_asked)"),
    "ungrounded": (
        "quality/grounding/task_needs.py",
        'name.word == "description"',
        'name.word != "work"',
    ),
    "arithmetic": ("quality/arithmetic/check.py", "if not 0 < part <= whole", "if not part"),
}  # fmt: skip


@pytest.fixture
def copy(tmp_path):
    """A copy of the package's source that a test may change."""
    shutil.copytree(
        PACKAGE_FOLDER, tmp_path / PACKAGE_FOLDER.name, ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "data").symlink_to(INPUTS)
    return tmp_path


def versions_in(folder):
    """The versions that the package in a folder computes, in a separate process."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT_VERSIONS],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def current_versions():
    return versions_in(PACKAGE_FOLDER.parent)


def change(folder, file, old, new):
    path = folder / CURATION / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1, (file, old)
    path.write_text(text.replace(old, new), "utf-8")


class OtherDocstrings(ast.NodeTransformer):
    """Replaces each docstring."""

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return ast.Expr(ast.Constant("Another text."))
        return node


def test_comments_docstrings_and_formatting_change_no_version(copy, current_versions):
    for path in copy.joinpath(CURATION).rglob("*.py"):
        tree = OtherDocstrings().visit(ast.parse(path.read_text("utf-8")))
        # This removes all comments, replaces all docstrings and formats most lines differently.
        path.write_text(f"{ast.unparse(ast.fix_missing_locations(tree))}\n# A new note.\n", "utf-8")
    assert versions_in(copy) == current_versions


@pytest.mark.parametrize("gate", GATE_ORDER)
def test_a_changed_comparison_changes_the_version_of_its_gate(gate, copy, current_versions):
    change(copy, *CHANGED_COMPARISONS[gate])
    found = versions_in(copy)
    changed = {
        name for name in GATE_ORDER if found["gates"][name] != current_versions["gates"][name]
    }
    assert changed == {gate}
    assert found["rules"] == current_versions["rules"]


@pytest.mark.parametrize("kind", CHANGED_COMPARISONS_OF_KINDS)
def test_a_changed_comparison_changes_the_rules_of_its_kind(kind, copy, current_versions):
    change(copy, *CHANGED_COMPARISONS_OF_KINDS[kind])
    found = versions_in(copy)
    changed = {
        name for name in found["rules"] if found["rules"][name] != current_versions["rules"][name]
    }
    assert changed == {name for name, its in current_versions["kinds"].items() if its == kind}
    assert changed
    others = {
        name: version for name, version in current_versions["gates"].items() if name != "quality"
    }
    assert found["gates"] == {"quality": found["gates"]["quality"], **others}
    assert found["gates"]["quality"] != current_versions["gates"]["quality"]


def test_code_that_gates_share_changes_those_that_use_it(copy):
    name = "tokens/token_kernels.py"
    path = copy / CURATION / name
    path.write_text(path.read_text("utf-8").replace(">>", "<<"), "utf-8")
    package = copy / PACKAGE_FOLDER.name
    for start, uses in (
        ("curation.contamination.gate.ContaminationGate", True),
        ("curation.novelty.stored_index.StoredIndex", True),
        ("curation.privacy.gate.PrivacyGate", False),
        ("curation.quality.gate.QualityGate", True),
    ):
        assert (code_version(start, package=package) != code_version(start)) == uses


def test_a_word_changes_the_version_and_a_comment_does_not(copy):
    words = copy / CURATION / "privacy" / "words"
    words.mkdir(exist_ok=True)
    change(copy, "privacy/scan.py", "\nNO_ENTITIES", "\nMADE = 'made.yaml'\nNO_ENTITIES")
    change(copy, "privacy/scan.py", "IDENTIFYING_SCORE for", "IDENTIFYING_SCORE + len(MADE) for")
    found = []
    for number, text in enumerate(
        (
            "titles: {what: Titles., words: [no, on, Dr]}",
            "# A remark.\ntitles:\n  what: Titles before names.\n  words: [no, on, Dr]",
            "titles: {what: Titles., words: [no, on, Prof]}",
        )
    ):
        package = shutil.copytree(copy, copy.parent / f"state-{number}", symlinks=True)
        (package / CURATION / "privacy" / "words" / "made.yaml").write_text(text, "utf-8")
        start = "curation.privacy.gate.PrivacyGate"
        found.append(code_version(start, package=package / PACKAGE_FOLDER.name))
    assert "curation/privacy/words/made.yaml" in found[0].words
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_libraries_that_decide_verdicts_count():
    found = {
        start: set(code_version(start).libraries)
        for start in (
            "curation.privacy.gate.PrivacyGate",
            "curation.novelty.stored_index.StoredIndex",
            "curation.category.classifier.CategoryClassifier",
        )
    }
    assert {"presidio_analyzer", "tldextract"} <= found["curation.privacy.gate.PrivacyGate"]
    assert found["curation.novelty.stored_index.StoredIndex"] == {"numba", "numpy"}
    assert "sklearn" in found["curation.category.classifier.CategoryClassifier"]
    for libraries in found.values():
        assert all(library_version(name) for name in libraries)


def test_a_library_that_is_not_installed_has_no_version():
    assert not library_version("no_such_library")


def test_an_unknown_definition_is_named():
    with pytest.raises(SourceCodeError, match=r"curation\.gates defines no Nothing"):
        code_version("curation.gates.Nothing")
    with pytest.raises(SourceCodeError, match=r"no module curation\.novelty\.nothing"):
        reached_definitions("curation.novelty.nothing.Gate")


def test_each_kind_of_rule_names_the_function_that_checks_it():
    for kind in AnyRule.__args__[0].__args__:
        assert code_version(kind.checked_by).code


def test_the_function_that_checks_a_rule_is_part_of_its_version(monkeypatch):
    (rule,) = (rule for rule in QualityGate().rules if isinstance(rule, TruncatedRule))
    before, row = rule.version, RowTexts("List the causes.", "", "The causes of this are many and")
    assert _check_of(rule)(row)
    monkeypatch.setattr(TruncatedRule, "checked_by", "curation.quality.wording.length_check")
    with pytest.raises(AttributeError, match="least"):
        _check_of(rule)(row)
    assert rule.version != before


TEXTS = [
    RowTexts("Summarize the note.", "Maria Keller, born 3/14/1961, MRN 00482913, 555-0142.", "Ok."),
    RowTexts("Compute the daily dose.", "Naproxen 250 mg twice daily, 72 kg", "400 mg per day"),
    RowTexts("Summarize the article.", "https://example.org/article", "It says that it works."),
    RowTexts("Convert 98.6 F to Celsius.", "", "98.6 F is 40 C, and 5 mg are 5000 mcg."),
    RowTexts("Explain why statins are taken for life in adults.", "N/A", "Cholesterol rises."),
    RowTexts("Explain why statins are taken for life in grown adults.", "", "I'm sorry, as an AI"),
    RowTexts("Name the town.", "He lives at 12 Oak Street, Dayton, OH 45402; jo@example.org", "A"),
    RowTexts("高血压的治疗方案是什么", "", "Age 94, seen on 3/14 by Dr. Jones at www.example.org"),
    RowTexts("Extract the BMI.", "Weight 80 kg, height 1.80 m, BMI 35. 20 of 50 (80 %)", "BMI 35"),
]


def executed(work):
    """Names of the top-level definitions that run in the modules that are followed."""
    found = set()
    modules = {
        str(path): ".".join(path.relative_to(PACKAGE_FOLDER).with_suffix("").parts)
        for path in PACKAGE_FOLDER.rglob("*.py")
    }

    def note(frame, event, _):
        module = modules.get(frame.f_code.co_filename)
        name = frame.f_code.co_qualname.partition(".")[0]
        is_function = frame.f_code.co_flags & inspect.CO_OPTIMIZED  # not a class that is defined
        if event == "call" and module and is_function and not name.startswith("<"):
            found.add((module, name))

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return {
        (module, name)
        for module, name in found
        if any(module == part or module.startswith(f"{part}.") for part in FOLLOWED_MODULES)
    }


def check_quality(_):
    gate = QualityGate()
    return lambda: gate.check(TEXTS)


def check_privacy(_):
    gate = PrivacyGate("redact")
    return lambda: gate.check(TEXTS)


def check_contamination(_):
    item = EvaluationItem("set", "1", TEXTS[4].instruction, (TEXTS[4].output,))
    gate = ContaminationGate(ComparedItems.of(collect_items([item])))
    return lambda: gate.check(TEXTS)


def check_novelty(store):
    rows = [
        {
            "row_id": f"row-{place}",
            "ordinal": place,
            "position": place,
            "source": "completion",
            **texts._asdict(),
            "rehearsal": False,
        }
        for place, texts in enumerate(TEXTS)
    ]
    store.replace({"raw_instructions": rows})
    return lambda: check_novelty_from_first_change(store, [NamedInstruction("seed-1", "Name it.")])


def check_category(_):
    verbs = {"List": "information_extraction", "Write": "generation", "Rank": "other"}
    examples = [
        LabelledExample(f"{verb} thing {n}.", name)
        for verb, name in verbs.items()
        for n in range(6)
    ]
    return lambda: CategoryClassifier.train(examples).predict(
        list(commonest_kinds((one.instruction, one.input) for one in TEXTS).items())
    )


@pytest.mark.parametrize(
    ("prepare", "starts", "at_least"),
    [
        (
            check_quality,
            ["curation.quality.gate.QualityGate"]
            + [kind.checked_by for kind in AnyRule.__args__[0].__args__],
            30,
        ),
        (check_privacy, ["curation.privacy.gate.PrivacyGate"], 30),
        (check_contamination, ["curation.contamination.gate.ContaminationGate"], 15),
        (check_novelty, NOVELTY_CODE, 20),
        (
            check_category,
            [
                "curation.category.classifier.CategoryClassifier",
                "curation.category.inputs.commonest_kinds",
            ],
            10,
        ),
    ],
)
def test_all_code_that_a_gate_runs_is_counted(prepare, starts, at_least, store):
    ran = executed(prepare(store))
    assert len(ran) >= at_least
    assert ran <= {(module, name) for module, name in reached_definitions(*starts)}


def test_every_file_of_word_lists_is_part_of_a_version():
    starts = [
        "curation.quality.gate.QualityGate",
        "curation.privacy.gate.PrivacyGate",
        "curation.contamination.gate.ContaminationGate",
        "curation.category.labelling.label_rows",
        *NOVELTY_CODE,
        *(kind.checked_by for kind in AnyRule.__args__[0].__args__),
    ]
    files = {
        path.relative_to(PACKAGE_FOLDER).as_posix()
        for path in (PACKAGE_FOLDER / "curation").rglob("words/*.yaml")
    }
    assert files == set(code_version(*starts).words)
