"""Results of a study whose input only describes the design; signs that are no missing input."""

import pytest

from bioinstruct_dagster.curation.gates import ImportedTexts, RowTexts
from bioinstruct_dagster.curation.quality.wording import WORD, words_of
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate

# Designs without results. Each is tested with an output that states results.
DESIGN_TEXTS = """
* In this randomized trial, 40 women were assigned to zinc lozenges or placebo for two weeks.
* Sixty adults with gout were recruited for a trial. Half received colchicine and the others took
a placebo. Pain was rated each day on a scale from 0 to 10.
* Aim: This study aimed to determine whether yoga improves sleep in nurses. Methods: 80 nurses
were randomly allocated to yoga or reading. Sleep was measured with a diary.
* The trial was conducted to compare two doses of iron in children with anemia. The primary
outcome measure was the change in hemoglobin after 12 weeks.
* We searched three databases for trials of vitamin C. Trials of adults were included. Two authors
assessed each trial for bias.
* A cohort of 900 men was followed for 20 years. Smoking was recorded at each visit.
* Title: Effects of tai chi on balance in older adults. Participants older than 65 years were
enrolled in the study and were assigned to tai chi or stretching.
* Context: In a crossover study, 10 athletes completed three sessions in randomized order. \\n
Heart rate was recorded during each session. \\n Question: What did the study find?
* Researchers surveyed 300 midwives in two hospitals. The questionnaire was used to assess stress
at work.
* The purpose of this study was to test a newly developed gel for burns. Patients with burns were
treated with the gel or a higher dose of silver cream, and wounds were examined weekly.
* Forty mice were divided into two groups. One of the groups received a 5% glucose solution. The
experiment was designed to study weight.
* This study examined the effect of a daily walk on the mood of adults who had a stroke.
"""
DESIGNS = [" ".join(text.split()) for text in DESIGN_TEXTS.split("* ")[1:]]
# Sentences with a result, each after one of the first designs.
RESULTS = [
    "Colds lasted 5.2 days with zinc and 7.9 days with placebo.",
    "Pain fell from 8 to 3 with colchicine.",
    "Nurses in the yoga group slept better.",
    "Hemoglobin was 12 g/dL in both groups.",
]
STATED_RESULT = "The study found that the intervention was more effective than the control."
INSTRUCTION = "Summarize the main findings of the study."
RULE = "results_not_given"


# Design and result in one sentence.
DESIGNS_WITH_RESULT = [
    "In this trial, 40 women were assigned to zinc or placebo, and colds were shorter with zinc.",
    "In a trial of colchicine, pain was measured daily and fell from 8 to 3.",
    "The study compared yoga with reading and found that nurses slept well with yoga.",
    "We randomized 50 children to two doses of iron; the hemoglobin was 12 g/dL with both.",
    "The review included three trials, none of them in children.",
    "A cohort of 900 men was followed for 20 years, and 90 of the 400 smokers were lost.",
    "This study aimed to test if tai chi helps balance, which improved.",
    "The trial was stopped early and the data were analyzed: p = 0.03.",
    "The survey was conducted to assess stress, to which 30% of the midwives were used.",
    "In this trial the gel was compared with silver cream and was well tolerated.",
    "Forty mice received glucose in this experiment and were examined; they weighed 4.5 g more.",
    "Participants were asked to walk daily, and their mood was scored as good.",
]


def told(instruction, task_input, output):
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    return RULE in {finding.rule for finding in result.findings}


@pytest.mark.parametrize("design", DESIGNS)
def test_results_told_of_a_mere_design_are_invented(design):
    assert told(INSTRUCTION, design, STATED_RESULT)
    assert told("What were the results of this trial?", design, "It led to fewer complaints.")


@pytest.mark.parametrize("text", DESIGNS_WITH_RESULT)
def test_results_beside_the_design_are_results(text):
    assert not told(INSTRUCTION, text, STATED_RESULT)


@pytest.mark.parametrize(("design", "result"), [*zip(DESIGNS[:4], RESULTS, strict=True)])
def test_results_in_words_or_figures_are_results(design, result):
    assert not told(INSTRUCTION, f"{design} {result}", STATED_RESULT)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(
    ("instruction", "output"),
    [
        ("Identify the design of the study.", "It was a randomized trial."),
        ("State the population, intervention and comparison.", "Adults; zinc; placebo."),
        ("Name the objective of the study.", "To find out if zinc shortens colds."),
        ("Summarize the passage.", "Forty women took zinc or a placebo for two weeks."),
        ("Name the primary outcome measure.", "The change in hemoglobin, which was measured."),
        ("Summarize the findings.", "The passage does not report any results of the study."),
        ("Summarize the findings.", "It was found that results were not reported in the text."),
        ("Predict the results of the trial.", "Zinc is likely to be more effective."),
        ("Suggest possible findings of the study.", "It may be that zinc led to shorter colds."),
    ],
)
def test_a_design_is_enough_where_no_results_are_asked(design, instruction, output):
    assert not told(instruction, design, output)


@pytest.mark.parametrize(
    "task_input",
    [
        # Results without a word for a result, or without their method.
        "In this trial, 40 women were assigned to zinc or placebo. Zinc cut colds to two days.",
        "Of those assigned to zinc, all slept through the night.",
        "When zinc was given, colds vanished.",
        "Patients who were given zinc coughed for a day.",
        "Conclusion: zinc is the treatment of choice.",
        # Not about a study.
        "The man was treated with colchicine for two weeks. The knee was examined each day.",
        # A question only.
        "What did the trial of zinc find?",
        "",
    ],
)
def test_what_is_not_all_design_is_passed_over(task_input):
    assert not told(INSTRUCTION, task_input, STATED_RESULT)


@pytest.mark.parametrize("text", ["study of " * 2_000, "was used to " * 60, "whether a " * 100])
def test_hostile_designs_are_checked_as_well(text):
    # A pattern with exponential backtracking would run into the time limit of the suite.
    assert told(INSTRUCTION + text, text, STATED_RESULT + text) in {True, False}
    assert told(INSTRUCTION, DESIGNS[0] + " whether" + " x" * 9_000, STATED_RESULT) is False


@pytest.mark.parametrize(
    ("instruction", "sign"),
    [
        *(("Interpret the reflex.", sign) for sign in ("+", "++", "-", "?")),
        *(("What is the genotype's phenotype?", sign) for sign in ("+/+", "-/-", "--", "+-")),
        *(
            ("What does it mean in a note?", sign)
            for sign in ("♂", "♀", "→", "↓", "≥", "□", "±", "#")
        ),
        ("Interpret the urine dipstick.", "-"),
        ("What does the abbreviation NA stand for?", "NA"),
        ("Spell out the abbreviation of a chart.", "N/A"),
        ("Classify the allergy entry of the chart.", "None"),
    ],
)
def test_a_sign_or_abbreviation_that_is_asked_about_stays_as_the_input(instruction, sign):
    (result,) = shipped_gate().check([ImportedTexts(instruction, sign, "It is explained here.")])
    assert result.repairs == {}


@pytest.mark.parametrize(
    ("instruction", "mark"),
    [
        ("Explain what gout is.", "-"),
        ("Interpret the sign of Babinski.", "---"),
        ("Explain what gout is.", "[...]"),
        ("Explain what gout is.", "None"),
        ("Classify the causes of gout.", "N/A"),
    ],
)
def test_a_dash_or_none_that_nobody_asks_about_is_no_input(instruction, mark):
    (result,) = shipped_gate().check([ImportedTexts(instruction, mark, "It is explained here.")])
    assert result.repairs == {"input": ""}


@pytest.mark.parametrize(
    "text", ["", "_a__b_ C-3\x0b\x1f4", "Na\u00efve \u00bd x_2 \u0130", "\u201cA\u201d a_" * 9_000]
)
def test_the_words_of_ascii_are_those_of_the_expression(text):
    for one in (text, text.encode("ascii", "ignore").decode()):
        assert words_of(one) == WORD.findall(one.lower())
