"""The categories of the seeds and recorded tasks follow one line, whoever wrote the label.

The line: a task about a given text (a case, note, list or values) that identifies, classifies,
matches, assesses or normalises something is information extraction. A task whose answer is a
choice, a calculation, or a recommended drug, test or next step is question answering. Of two
tasks, the first decides.
"""

import re

import pytest

from bioinstruct_dagster_tests.rehearsal.shipped_texts import shipped_tasks

NOTHING = r"(?!)"
IE, QA = "information_extraction", "question_answering"
GE, OTHER = "generation", "other"
OPTIONS = re.compile(r"\bA[.):] ?\S[\s\S]*\bB[.):] ?\S|\(A\) \S[\s\S]*\(B\) \S")


def named(pattern: str, *, without: str = NOTHING, with_input: bool = False):
    """The tasks whose instruction matches a pattern."""
    found = [
        one
        for one in shipped_tasks()
        if re.search(pattern, one.instruction, re.IGNORECASE)
        and not re.search(without, one.instruction, re.IGNORECASE)
        and (one.input or not with_input)
    ]
    assert len(found) >= 3, "the pattern finds too few tasks to say anything"
    return found


@pytest.mark.parametrize(
    ("pattern", "without", "category"),
    [
        (r"\A(?:calculate|compute|estimate|solve|work out)\b", r"\Awork out what", QA),
        (r"\bpump rate\b|\bhow many millilit|\bweekly dose\b|\bnumber of vials\b", NOTHING, QA),
        (r"\A(?:rank|prioriti[sz]e|schedule|build a (?:one-day|dated))\b", NOTHING, OTHER),
        (r"\Aconvert .*\b(?:units|mmol|SI|mmHg|µmol|g/L|per 100,000)", NOTHING, OTHER),
        (r"\bpython|\bSQL\b|regular expression", NOTHING, OTHER),
        (r"\A(?:code|map|normali[sz]e)\b", NOTHING, IE),
        (r"\A(?:extract|classify|label|tag|match|identify|list|sort|expand)\b", NOTHING, IE),
        (r"\b(?:quiz|survey|teach-back question|questions that)\b", NOTHING, GE),
        (
            r"\A(?:summari[sz]e|explain|describe|simplify|rewrite|compare|draft|compose)\b",
            r"\Acompare the patient",
            GE,
        ),
        (r"\Awrite an? (?:\w+ ){0,3}(?:note|letter|dialogue|message|paragraph)\b", NOTHING, GE),
    ],
)
def test_a_kind_of_task_has_one_category(pattern, without, category):
    found = named(pattern, without=without, with_input=category == IE)
    assert [one.name for one in found if one.category != category] == []


def test_what_a_given_case_or_values_show_is_extraction():
    pattern = (
        r"(?:likel(?:y|iest)|probable|possible) (?:diagnosis|cause|type)|which condition does"
        r"|what (?:syndrome|disorder|diagnosis)|inheritance pattern|valve lesion"
        r"|disturbance does|organism should be suspected"
    )
    found = [one for one in named(pattern, with_input=True) if not OPTIONS.search(one.input)]
    assert len(found) >= 12
    assert [one.name for one in found if one.category != IE] == []


def test_a_choice_between_lettered_options_is_question_answering():
    found = [one for one in shipped_tasks() if OPTIONS.search(one.input)]
    # Which category or type the given results belong to is extraction, with options as well.
    classed = re.compile(r"correct (?:WHO category|type)")
    chosen = [one for one in found if re.match(r"\(?[A-E]\)", one.output)]
    chosen = [one for one in chosen if not classed.search(one.instruction)]
    assert len(chosen) >= 15
    assert [one.name for one in chosen if one.category != QA] == []
