"""The rules file: the effect of an edit, and the error for each mistake."""

import re

import pytest
import yaml

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.gate import QUALITY_RULES, QualityGate
from bioinstruct_dagster.curation.quality.rules import QualityRulesError, read_rules
from bioinstruct_dagster.settings import PROJECT_ROOT

DOSE_RULE = {
    "id": "names_no_dose",
    "kind": "pattern",
    "fields": ["output"],
    "any": ["as labelled"],
    "what": "an output that names no dose",
    "why": "the model is to name one",
    "action": "flag",
}
ROW = RowTexts("Name the usual dose of colchicine.", "", "As labelled.")


@pytest.fixture
def write(tmp_path):
    """Write rules to a file and return its path."""

    def to(*rules):
        path = tmp_path / "quality_rules.yaml"
        path.write_text(yaml.safe_dump({"rules": list(rules)}), "utf-8")
        return path

    return to


@pytest.fixture
def shipped():
    """The shipped rules, for a test to change."""
    return yaml.safe_load(QUALITY_RULES.read_text("utf-8"))["rules"]


def verdicts(path, task=ROW):
    (result,) = QualityGate(path).check([task])
    return {finding.rule: finding.verdict for finding in result.findings}


def test_a_new_rule_needs_no_code(write, shipped):
    assert verdicts(write(*shipped)) == {"sound": "keep"}
    assert verdicts(write(*shipped, DOSE_RULE)) == {"names_no_dose": "flag"}
    assert verdicts(write(*shipped, DOSE_RULE | {"action": "reject"})) == {
        "names_no_dose": "reject"
    }


def test_a_length_rule_needs_no_code(write):
    rule = {key: DOSE_RULE[key] for key in ("id", "what", "why", "action")}
    rule |= {"kind": "length", "field": "output", "least": 4}
    assert verdicts(write(rule)) == {"names_no_dose": "flag"}
    assert verdicts(write(rule), ROW._replace(output="It is 0.5 mg.")) == {"sound": "keep"}


@pytest.mark.parametrize("off", ["off", False])  # YAML reads a bare `off` as false
def test_a_rule_that_is_off_does_not_look(write, off):
    assert verdicts(write(DOSE_RULE | {"action": off})) == {"sound": "keep"}


def test_matches_of_unless_are_ignored(write):
    path = write(DOSE_RULE | {"any": ["dose"], "unless": ["usual dose"], "fields": ["instruction"]})
    assert verdicts(path) == {"sound": "keep"}
    task = ROW._replace(instruction="Name the usual dose and the highest dose.")
    assert verdicts(path, task) == {"names_no_dose": "flag"}


def test_a_changed_rule_changes_its_version_and_the_gates(write, shipped):
    before = QualityGate(write(*shipped))
    (changed,) = (rule for rule in shipped if rule["id"] == "instruction_too_long")
    changed["most"] = 120
    after = QualityGate(write(*shipped))
    assert after.version != before.version
    versions = {rule.id: rule.version for rule in before.rules}
    assert [rule.id for rule in after.rules if rule.version != versions[rule.id]] == [
        "instruction_too_long"
    ]


@pytest.mark.parametrize("change", [{"what": "other words"}, {"why": "other words"}])
def test_words_for_readers_change_no_version(write, change):
    assert QualityGate(write(DOSE_RULE | change)).version == QualityGate(write(DOSE_RULE)).version


@pytest.mark.parametrize("change", [{"action": "reject"}, {"any": ["see"]}, {"fields": ["input"]}])
def test_anything_else_changes_it(write, change):
    assert QualityGate(write(DOSE_RULE | change)).version != QualityGate(write(DOSE_RULE)).version


def test_a_rule_that_is_off_changes_no_version_of_the_gate(write, shipped):
    alone = QualityGate(write(*shipped)).version
    assert QualityGate(write(*shipped, DOSE_RULE | {"action": "off"})).version == alone


def test_findings_carry_the_version_of_their_rule(write):
    gate = QualityGate(write(DOSE_RULE))
    (result,) = gate.check([ROW])
    assert result.findings[0].version == gate.rules[0].version
    (result,) = gate.check([ROW._replace(output="0.5 mg twice daily.")])
    assert result.findings[0].version == gate.version


def without(key):
    return {name: value for name, value in DOSE_RULE.items() if name != key}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            DOSE_RULE | {"kind": "patern"},
            "names_no_dose.kind: must be one of pattern, length",
        ),
        (DOSE_RULE | {"kind": "patern"}, "llm, not 'patern'; did you mean 'pattern'?"),
        (without("kind"), "names_no_dose.kind: missing; add one of: pattern, length"),
        (DOSE_RULE | {"action": "drop"}, "names_no_dose.action: must be one of reject, repair"),
        (
            DOSE_RULE | {"action": "repair"},
            "names_no_dose.action: a rule of this kind repairs no text",
        ),
        (DOSE_RULE | {"any": ["/(/"]}, "names_no_dose.any.1: /(/ is no regular expression"),
        (DOSE_RULE | {"any": ["/x*/"]}, "names_no_dose.any.1: /x*/ is found in every row"),
        (DOSE_RULE | {"any": ["a", "/(a+)+b/"]}, "any.2: /(a+)+b/ repeats a repetition"),
        (DOSE_RULE | {"any": ["/(?:a|(b*c)){2,}/"]}, "repeats a repetition without bound"),
        (DOSE_RULE | {"any": []}, "names_no_dose.any: has 0 of at least 1 entries"),
        (DOSE_RULE | {"any": "dose"}, "names_no_dose.any: must be a list"),
        (
            DOSE_RULE | {"any": [5]},
            "any.1: must be text, but YAML reads it as 5; put it in",
        ),
        (
            DOSE_RULE | {"fields": ["answer"]},
            "fields.1: must be one of instruction, input",
        ),
        (DOSE_RULE | {"unles": ["a"]}, "unles: unknown key 'unles'; did you mean 'unless'?"),
        (without("why"), "names_no_dose.why: missing; add it"),
        (without("id"), "rules.1.id: missing; add it"),
        (DOSE_RULE | {"id": "Names"}, "rules.Names.id: 'Names' must be small letters"),
        ("names_no_dose", "rules.1: must be names with values"),
    ],
)
def test_a_mistake_is_refused_with_line_rule_and_setting(write, rule, message):
    path = write(rule)
    with pytest.raises(QualityRulesError) as refused:
        read_rules(path)
    assert re.match(rf"{re.escape(str(path))}:\d+: rules\.", str(refused.value))
    assert message in str(refused.value)


def test_bounds_the_wrong_way_round_are_refused(write):
    rule = {key: DOSE_RULE[key] for key in ("id", "what", "why", "action")}
    rule |= {"kind": "length", "field": "output"}
    for change, message in (
        ({}, "names_no_dose: has neither least nor most"),
        ({"least": 5, "most": 4}, "names_no_dose.least: must be no more than `most`, 4"),
        ({"least": 2, "most": 4, "least_imported": 5}, "least_imported: must be no more than"),
        ({"most": 4, "least_imported": 1}, "least_imported: has no effect without `least`"),
    ):
        with pytest.raises(QualityRulesError, match=message):
            read_rules(write(rule | change))


def test_the_origin_of_the_rows_is_checked_and_changes_the_version(write):
    versions = {
        origin: read_rules(write(DOSE_RULE | {"rows": origin}))[0].version
        for origin in ("all", "generated", "imported")
    }
    assert len(set(versions.values())) == 3
    assert read_rules(write(DOSE_RULE))[0].version == versions["all"]
    with pytest.raises(QualityRulesError, match=r"names_no_dose\.rows"):
        read_rules(write(DOSE_RULE | {"rows": "synthetic"}))


def test_a_repair_of_an_output_is_refused(write, shipped):
    (marker,) = (rule for rule in shipped if rule["id"] == "empty_output")
    with pytest.raises(QualityRulesError, match="repairs no output"):
        read_rules(write(marker | {"action": "repair"}))


def test_every_fault_is_named_at_once(write):
    with pytest.raises(QualityRulesError) as refused:
        read_rules(write(DOSE_RULE, dict(DOSE_RULE), without("why") | {"id": "other"}))
    assert len(str(refused.value).splitlines()) == 2
    assert "rules.names_no_dose.id: names_no_dose is there twice" in str(refused.value)
    assert "rules.other.why: missing" in str(refused.value)


def test_a_misspelt_kind_does_not_hide_other_faults(write):
    with pytest.raises(QualityRulesError) as refused:
        read_rules(write(without("why") | {"kind": "patern", "fields": ["title"]}))
    fields = [line.split(": ")[1] for line in str(refused.value).splitlines()]
    assert sorted(fields) == [f"rules.names_no_dose.{key}" for key in ("fields.1", "kind", "why")]


@pytest.mark.parametrize(
    ("rule", "field", "value", "message"),
    [
        ("no_input_marker", "empty", 1, "must be true or false, not 1"),
        ("no_input_marker", "empty", "yes", "must be true or false, not 'yes'"),
        ("empty_output", "unless_named", "off", "must be true or false, not 'off'"),
        ("input_repeats_instruction", "of", "input", "must be another field than `field`, input"),
        ("instruction_too_long", "most", 10**25, "must be at most 1000000000, not a number"),
        ("wrong_arithmetic", "tolerance", False, "must be a number, not false"),
        ("wrong_arithmetic", "tolerance", "0.02", "must be a number, not '0.02'; write 0.02"),
    ],
)
def test_no_value_of_another_kind_is_read(write, shipped, rule, field, value, message):
    (changed,) = (one for one in shipped if one["id"] == rule)
    with pytest.raises(QualityRulesError) as raised:
        read_rules(write(changed | {field: value}))
    assert f"rules.{rule}.{field}: {message}" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "yaml:1: the file: is empty"),
        ("rules: []", "yaml:1: rules: has 0 of at least 1"),
        (
            "- id: a",
            "yaml:1: the file: must be names with values, such as",
        ),
        ("rules:\n- id: a\nversion: 1", "yaml:3: version: unknown key 'version'"),
        ("rules: [", "yaml:1: is not YAML"),
        ("rules:\n- id: a\n  id: b", "yaml:3: rules.b.id: given twice, first in line 2; keep one"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, text, message):
    path = tmp_path / "quality_rules.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(QualityRulesError, match=r"quality_rules\.yaml:\d+: ") as refused:
        read_rules(path)
    assert message in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(QualityRulesError, match=r"none\.yaml does not exist"):
        read_rules(tmp_path / "none.yaml")


def test_the_docs_name_every_shipped_rule_and_its_action():
    table = (PROJECT_ROOT / "docs" / "quality.md").read_text("utf-8")
    for rule in read_rules(QUALITY_RULES):
        (line,) = (line for line in table.splitlines() if line.startswith("|") and rule.id in line)
        assert line.rsplit("|", 2)[1].strip().startswith(rule.action)


def test_the_example_in_the_docs_is_a_sound_rule(tmp_path):
    text = (PROJECT_ROOT / "docs" / "quality.md").read_text("utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "quality_rules.yaml"
    path.write_text(f"rules:\n{example}", "utf-8")
    assert verdicts(path, ROW._replace(output="Take a rest.")) == {"advises_rest_only": "reject"}
    assert verdicts(path, ROW._replace(output="0.5 mg, and rest.")) == {"sound": "keep"}
