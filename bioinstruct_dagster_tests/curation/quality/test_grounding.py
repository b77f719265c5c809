"""Inputs that lack what the task needs, beside such as hold it or need no more than a name."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.gate import shipped_gate

RULE = "ungrounded_input"


def seen(instruction, task_input, output="The patient improved."):
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    found = [finding.evidence for finding in result.findings if finding.rule == RULE]
    return found[0]["as"] if found else None


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Summarize the linked article.", "https://journal.example/articles/12"),
        ("Summarize the linked article.", "Link to the paper: <www.journal.example/a1>"),
        ("Summarize the main points of the paper.", "doi:10.1000/j.example.2020.15"),
        ("Summarize the main points of the paper.", "PMID: 12345678"),
        ("Summarize the trial's results.", "Clinical trial NCT01234567"),
        ("Extract the adverse events from the report.", "report_of_may.pdf"),
    ],
)
def test_a_bare_link_is_no_input(instruction, task_input):
    assert seen(instruction, task_input) == "link"


@pytest.mark.parametrize(
    "task_input",
    [
        "Leaflet (https://pharmacy.example/a): take two tablets daily.",
        "Drug: methotrexate 2.5 mg",
        "The patient was seen at clinic.example and sent home with a cast.",
    ],
)
def test_a_link_within_a_text_is_a_text(task_input):
    assert seen("Summarize the leaflet or note.", task_input) is None


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Summarize the abstract below.", "[Insert abstract here]"),
        ("Interpret the report.", "<paste the pathology report>"),
        ("Summarize the passage.", "See the attached document."),
        ("Summarize the passage.", "The given passage"),
    ],
)
def test_a_place_for_a_text_is_no_text(instruction, task_input):
    assert seen(instruction, task_input) == "placeholder"


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Interpret the results of the blood test.", "The blood test results of patient K."),
        (
            "Given a radiology report, identify the key findings.",
            "A radiology report for a patient with suspected gout.",
        ),
        (
            "Summarize the consultation between nurse and patient.",
            "Conversation between a nurse and a patient about wound care.",
        ),
        (
            "Extract all medications from the clinical note.",
            "A clinical note about a patient with heart block",
        ),
        (
            "Interpret the patient's electrocardiogram and state the rhythm.",
            "Patient's electrocardiogram",
        ),
        (
            "Given a patient's genetic test results, interpret them.",
            "Genetic test results of a patient",
        ),
        (
            "Analyze the survey data and report trends.",
            "Survey responses from midwives about night shifts",
        ),
        ("Summarize the key points of the article.", "Article: The role of zinc in wound healing"),
        (
            "Summarize the study in one sentence.",
            'Study title: "Zinc lozenges for sore throat in adults"',
        ),
        (
            "Summarize the findings of this paper.",
            '"Zinc Lozenges for Sore Throat in Adults: A Trial"',
        ),
        (
            "Summarize the findings of this paper.",
            '"Zinc lozenges for sore throat" (Doe et al., 2016)',
        ),
        (
            "Summarize the findings of the article.",
            'Title: "Zinc and Colds: A Review", Authors: A. B. Doe, C. Roe, published in 2016.',
        ),
        (
            "Summarize the findings of the paper.",
            "A study that examined the effect of zinc on colds.",
        ),
        (
            "Based on the patient's medical records, identify risk factors.",
            "The patient's medical records are attached.",
        ),
        (
            "Explain the results to the patient.",
            "Doctor: I have received the results of the patient's biopsy.",
        ),
        ("Extract the symptoms from the transcript.", "Transcript of a telephone consultation"),
        ("Given a patient's symptoms, suggest a diagnosis.", "A list of the patient's symptoms"),
        (
            "Assess the patient and make a plan from the details.",
            "Patient details, including age, sex, medical history and current medications.",
        ),
        (
            "Given a pathology report, state whether the tumor is malignant.",
            "Pathology report of a skin lesion.",
        ),
        (
            "Identify trends in the given dataset.",
            "Dataset of hospital admissions from 2010 to 2020",
        ),
        ("Given a patient's scan, determine the findings.", "MRI scan of a patient's knee"),
        (
            "List the follow-up actions in this discharge summary.",
            "Discharge summary of patient 1234",
        ),
    ],
)
def test_an_input_that_only_names_its_source_is_ungrounded(instruction, task_input):
    assert seen(instruction, task_input) == "name"


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        # A subject that can be spoken of from knowledge.
        ("Explain the purpose of this kind of medical document.", "Referral letter"),
        (
            "Describe how the given technology helps in diagnosis.",
            "Positron emission tomography (PET) scan",
        ),
        ("Explain the strengths of the given study design.", "Case-control study"),
        ("Provide a list of potential complications for a surgery.", "Liver transplant surgery"),
        ("Explain the benefits of electronic records.", "Electronic health records in hospitals"),
        ("What does the following laboratory test measure?", "Thyroid function test"),
        ("Describe the given phase of a clinical trial.", "Phase II clinical trial"),
        ("Summarize the benefits of the given treatment.", "Speech therapy after a stroke"),
        (
            "Given a set of guidelines, list the steps.",
            "Guidelines for inserting a urinary catheter",
        ),
        (
            "Summarize the key facts on the disease.",
            "Cystic Fibrosis and its Treatment in Children",
        ),
        # Little, but the thing itself.
        ("Given a patient's medical history, suggest lifestyle changes.", "Medical history: gout"),
        ("Interpret the laboratory results.", "Laboratory results: raised TSH and low free T4"),
        (
            "Given a case study, recommend treatment.",
            "Case study: 45-year-old male with gout of the left knee",
        ),
        ("Extract the symptoms from the text.", "Text: Fever, neck stiffness and photophobia"),
        ("Extract the diagnosis from the report.", "Report of gout, confirmed by crystals"),
        ("Summarize the patient's condition.", "Patient has a history of gout."),
        ("Given a patient's MRI report, explain it.", "MRI of the knee: torn meniscus"),
        ("Simplify this radiology report.", "No acute cardiopulmonary abnormality."),
        ("Explain the results of this test to the patient.", "Positive rapid strep test"),
        ("Given a medication order, compute the daily dose.", "Order: 500 mg every 8 hours"),
        (
            "Given the findings, name the diagnosis.",
            "The findings were as follows: low ferritin, low iron.",
        ),
        (
            "Summarize the results of the trial.",
            "The trial found that zinc shortened colds by one day.",
        ),
        ("Classify each drug on the list.", "Colchicine, Allopurinol, Febuxostat"),
        # A title is enough.
        ("Given the title of a paper, suggest keywords.", "Zinc Lozenges for Sore Throat: A Trial"),
        ("Classify the article by its topic.", "Article: Zinc lozenges for sore throat in adults"),
        ("Write a short article on the topic.", "Managing Gout at Home: Advice for Patients"),
    ],
)
def test_a_subject_or_a_short_but_real_input_is_grounded(instruction, task_input):
    assert seen(instruction, task_input) is None


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Name the side effects of the given drug.", "A drug."),
        ("Given a medical term, explain it to a child.", "Term"),
        ("Suggest a plan for a patient with a certain disease.", "A patient with a disease"),
        (
            "List the dressings that a specific skin procedure may need.",
            "A skin procedure requiring dressings.",
        ),
        ("Describe the following treatment in plain words.", "Some treatment"),
    ],
)
def test_any_thing_of_the_kind_asked_about_is_no_thing(instruction, task_input):
    assert seen(instruction, task_input) == "placeholder"


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Name the side effects of the given drug.", "A beta blocker drug"),
        ("Describe the given heart disease and other heart diseases.", "Heart disease"),
        ("Describe the given word: drug.", "Drug"),
        ("Explain to a child what a drug is.", "A drug"),
        ("Name the tests for the given disease.", "A disease of the thyroid"),
    ],
)
def test_a_kind_that_says_more_or_is_itself_asked_about_is_one(instruction, task_input):
    assert seen(instruction, task_input) is None


AIM = "This study investigates the benefits of blocking interleukin-6 in gout."


@pytest.mark.parametrize(
    "instruction",
    [
        "Classify the given text by whether it is about diagnosis or treatment.",
        "Classify the article based on whether it is about diagnosis or treatment.",
        "Extract the protein mentioned in the sentence below.",
        "Simplify the following statement and passage.",
    ],
)
def test_a_sentence_that_says_what_a_study_is_about_can_be_the_text_itself(instruction):
    assert seen(instruction, AIM) is None


@pytest.mark.parametrize(
    "instruction",
    [
        "Extract the main findings from the passage.",
        "Given an article, identify who paid for it, based on what is in the article.",
        "Based on the study, state the conclusion.",
    ],
)
def test_such_a_sentence_holds_no_results_and_is_no_article(instruction):
    assert seen(instruction, AIM) == "name"


def test_a_question_beside_a_name_adds_nothing():
    instruction = "Given the medical records, identify the risk factors."
    named = "Medical records of a patient with gout."
    assert seen(instruction, f"{named}\nWhich risk factors are there?") == "name"
    assert seen(instruction, f"{named}\nHe smokes and is obese.") is None


@pytest.mark.parametrize(
    "text",
    [
        "report of " * 300,
        "a-" * 3_000,
        "(" * 5_000,
        '"' * 5_000,
        "[the " + "x" * 5_000,
        "list of " * 5_000 + "results",
        "Title: " * 800,
        "." * 9_000,
    ],
)
def test_hostile_texts_are_checked_as_well(text):
    # An expression gone wild would run into the suite's time limit.
    assert seen("Summarize the findings of the article.", text) in {None, "name"}
    assert seen(text, "Article: " + text[:500]) in {None, "name"}


# Designs without a result in them; each is held against findings and a summary that report one.
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
# What gives a result away, each after one of the first designs.
RESULTS = [
    "Colds lasted 5.2 days with zinc and 7.9 days with placebo.",
    "Pain fell from 8 to 3 with colchicine.",
    "Nurses in the yoga group slept better.",
    "Hemoglobin was 12 g/dL in both groups.",
]
TOLD = "The study found that the intervention was more effective than the control."
ASKS = "Summarize the main findings of the study."
UNTOLD = "results_not_given"


# Design and result in one sentence.
MIXED = [
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
    return UNTOLD in {finding.rule for finding in result.findings}


@pytest.mark.parametrize("design", DESIGNS)
def test_results_told_of_a_mere_design_are_invented(design):
    assert told(ASKS, design, TOLD)
    assert told("What were the results of this trial?", design, "It led to fewer complaints.")


@pytest.mark.parametrize("text", MIXED)
def test_results_beside_the_design_are_results(text):
    assert not told(ASKS, text, TOLD)


@pytest.mark.parametrize(("design", "result"), [*zip(DESIGNS[:4], RESULTS, strict=True)])
def test_results_in_words_or_figures_are_results(design, result):
    assert not told(ASKS, f"{design} {result}", TOLD)


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
def test_a_design_is_enough_where_no_results_are_asked_for_or_told(design, instruction, output):
    assert not told(instruction, design, output)


@pytest.mark.parametrize(
    "task_input",
    [
        # Results without a word for one, or with no word of how they were come by.
        "In this trial, 40 women were assigned to zinc or placebo. Zinc cut colds to two days.",
        "Of those assigned to zinc, all slept through the night.",
        "When zinc was given, colds vanished.",
        "Patients who were given zinc coughed for a day.",
        "Conclusion: zinc is the treatment of choice.",
        # Not about a study.
        "The man was treated with colchicine for two weeks. The knee was examined each day.",
        # Asks only.
        "What did the trial of zinc find?",
        "",
    ],
)
def test_what_is_not_all_design_is_passed_over(task_input):
    assert not told(ASKS, task_input, TOLD)


@pytest.mark.parametrize("text", ["study of " * 2_000, "was used to " * 60, "whether a " * 100])
def test_hostile_designs_are_checked_as_well(text):
    # An expression gone wild would run into the suite's time limit.
    assert told(ASKS + text, text, TOLD + text) in {True, False}
    assert told(ASKS, DESIGNS[0] + " whether" + " x" * 9_000, TOLD) is False
