"""Reading which option an answer names: forms that models write, and that harnesses misread."""

import pytest

from bioinstruct_dagster.evaluation.metrics.reading import plain_text, read_choice

DRUGS = ("Aspirin", "Metformin", "Viral pneumonia", "Escherichia coli")


def place(answer, options=DRUGS, *, lettered=True):
    return read_choice(answer, options, lettered=lettered).place


@pytest.mark.parametrize(
    "answer",
    [
        "B", "b", "B.", "(B)", "[B]", "B)", "B:", "'B'", "Ｂ", "B: Metformin", "B. metformin",
        "b) Metformin", "(B) Metformin is used.", "B - Metformin", "B — metformin",
        "B because it lowers glucose", "Option B", "Choice B", "Assistant: B",
        "The answer is (B).", "The correct answer is b.", "The correct option is: B",
        "My answer is: **B)**", "I choose option B.", "I would pick B — a safe choice.",
        "B is the correct answer", "Option (B) is correct.", "It is therefore option (B).",
        "Answer:\nB", "### Answer\nB", '{"answer": "B"}', "<answer>B</answer>",
        "Sure! Here is the answer: B", "Sure, the answer is B.",
        "Based on the findings, the best choice is metformin (B).",
        "The patient should take metformin, not aspirin.", "Metformin", "The answer is metformin",
    ],
)  # fmt: skip
def test_an_answer_that_names_one_option_is_read(answer):
    assert place(answer) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # lm-evaluation-harness, pull request 4188: the article a is no letter
        ("The answer is B because a car moves.", 1),
        ("d", 3),
        # inspect_ai, issues 5055 and 5145: marks around the letter
        ("ANSWER: **B**", 1),
        ("ANSWER: $B$", 1),
        ("Answer: $B", 1),  # VLMEvalKit, pull request 1591: an echo of `Answer: $LETTER`
        # azureml-assets, pull request 5274: the whole line in bold
        ("**ANSWER: C**", 2),
        ("***ANSWER***: ***B***", 1),
        # openbench, issue 348: `seems` is no option S, and the last line repeats the answer
        ("Answer seems to be A.\n\nAnswer: A", 0),
        # omlx, pull request 3668: a letter mentioned after the answer
        ("The answer is B. Note that A is a common distractor.", 1),
        ("ANSWER IS D. A is incorrect.", 3),
        # OPD-V, issue 2: `Answer` begins with A, and A was dismissed
        ("Answer: **D**", 3),
        ("I considered (A), but it is incorrect. Final answer: D.", 3),
        # OpenCompass, issue 1462 and pull request 1413: the answer stands at the end
        ("Let's think step by step. A is wrong. B lowers glucose.\n\nB", 1),
        ("A: Let's think. Hence n = 0. The answer is (A).", 0),
        ("The correct answer is \\boxed{B}", 1),
        ("The answer is $\\boxed{\\text{B}}$.", 1),
        # OpenCompass, issue 1933: no option L, and in fact no answer
        ("Answer: Let's think step by step.", None),
        # simple-evals, issue 33: another language, read where the letter stands alone
        ("Antwort:\n\nB", 1),
        # a base model goes on with a question of its own
        ("B\n\nQuestion: What is it?\nA. x\nB. y\nAnswer: C", 1),
        ("<think>A or C?</think>B", 1),
        ("A. Aspirin\nB. Metformin\nC. Viral pneumonia\nD. Escherichia coli\n\nAnswer: B", 1),
    ],
)
def test_what_other_harnesses_misread(answer, expected):
    assert place(answer) == expected


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("<think>It must be B", "empty"),
        ("I don't know.", "none"),
        ("The answer is E", "none"),  # of four options
        ("A 45-year-old man has diabetes.", "none"),
        ("The answer is a drug.", "none"),
        ("B cell lymphoma", "none"),
        ("Hepatitis B", "none"),
        ("A and B", "several"),
        ("A, B", "several"),
        ("A/B", "several"),
        ("Both A and C", "none"),
        ("The answer is A or B", "several"),
        ("Answer: B\nAnswer: C", "several"),
        ("Aspirin and metformin", "several"),
        ("A. Aspirin\nB. Metformin\nC. Viral pneumonia\nD. Escherichia coli", "several"),
        ("not A", "none"),
        ("The answer is not A.", "none"),
        ("The wrong answer is A.", "negated"),
        ("A is incorrect.", "negated"),
        ("I would not choose A.", "negated"),
        ("B) Aspirin", "contradiction"),
    ],
)
def test_an_answer_that_names_none_or_several_is_not_read(answer, reason):
    found = read_choice(answer, DRUGS, lettered=True)
    assert (found.place, found.how) == (None, reason)


def test_a_denied_option_leaves_the_other():
    assert place("The answer is B, not A.") == 1
    assert place("Rather than A, I choose D.") == 3


def test_a_name_with_a_letter_is_not_that_letter():
    organisms = ("Klebsiella", "E. coli", "C. difficile", "Proteus", "Serratia")
    assert place("E. coli", organisms) == 1
    assert place("C. difficile", organisms) == 2
    assert place("D. Proteus", organisms) == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Yes", 0), ("yes.", 0), ("**Yes**", 0), ("Yes, because it works", 0), ("Sure! Yes.", 0),
        ("No", 1), ("'no'", 1), ("no, it does not", 1), ("No it does not", 1), ("Answer: no", 1),
        ("No, there is no evidence", 1), ("No\n\nExplanation: yes", 1), ("Maybe", 2),
        ("The final answer is: no", 1), ("I think the answer is maybe", 2),
        ("Answer: Yes.\nThe study shows no harm.", 0), ("Yes, there is no difference", 0),
        ("There is no evidence of it.", None), ("No difference was found", None),
        ("yes or no", None), ("yes/no/maybe", None), ("Yes, no, or maybe", None),
        ("The answer is not yes.", None), ("Unclear", None), ("", None),
    ],
)  # fmt: skip
def test_yes_no_and_maybe_are_answers_only_where_they_answer(answer, expected):
    assert place(answer, ("yes", "no", "maybe"), lettered=False) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Entailment", 0), ("The statement is a contradiction", 1), ("The label is neutral.", 2),
        ("This is an entailment, not a contradiction.", 0), ("No, contradiction", 1),
        ("not entailment", None), ("It is not a contradiction", None),
        ("entailment or contradiction", None), ("B", None),
    ],
)  # fmt: skip
def test_labels_are_read_as_words(answer, expected):
    labels = ("entailment", "contradiction", "neutral")
    assert place(answer, labels, lettered=False) == expected


def test_plain_text_drops_marks_and_what_follows_the_answer():
    assert plain_text("**B**\n\n### Instruction:\nNext") == "B"
    assert plain_text("`B` \\(x\\)") == "B x"
    assert plain_text("Question: what?") == "Question: what?"  # nothing stands before it


@pytest.mark.parametrize(
    "options",
    [
        ("> 50 %", "50 %", "< 50 %"), ("10³", "10²", "103"), ("x²", "x2"), ("½", "12", "1/2"),
        ("↑", "↓"), ("$5", "#5"), ("5 mg.", "5 mg"), ("mg", "Mg"), ("+", "++", "+++"),
        ("*", "**"), ("B27*", "B*27"), ("b,c true a,d false", "a, b are true & c, d are false"),
        ("Renal artery", "A.V. aneurysm", "A.Decrease in Km"), ("c,a,b,d", "D, antagonist"),
        ("no", "yes", "no evidence"), ("not entailed", "entailed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lettered", [True, False])
def test_an_option_as_it_stands_is_that_option(options, lettered):
    assert [place(each, options, lettered=lettered) for each in options] == [*range(len(options))]


def test_an_option_in_a_sentence_keeps_its_signs():
    options = ("> 50 %", "50 %", "A.V. aneurysm", "10³", "103")
    answers = [f"The answer is {each}." for each in options]
    assert [place(each, options) for each in answers] == [*range(len(options))]
    assert place("> 50 %\n\nIt is not 50 %.", options) == 0


def test_a_letter_that_is_also_another_options_text_names_both():
    options = ("c", "d", "ab", "bd")
    assert [place(each, options) for each in ("c", "d", "ab", "(D)")] == [None, None, 2, 3]
    assert place("The answer is d", options) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("A is the wrong answer.", None), ("Aspirin is contraindicated.", None),
        ("Aspirin should be avoided. Give metformin instead.", 1),
        ("A. Aspirin: incorrect.\nThe answer is B.", 1), ("A) Incorrect. B) Correct.", None),
        ("The answer is B. Aspirin", None), ("B<|im_end|>", 1), ("B</s>", 1), ("[/INST] B", 1),
        ("Aspirin metformin " * 20_000, None), ("The answer is B. " * 20_000, 1),
    ],
)  # fmt: skip
def test_what_is_rejected_or_repeated_is_not_taken(answer, expected):
    assert place(answer) == expected


def test_no_and_i_are_words_of_a_sentence_too():
    assert place("I think III", ("I", "II", "III", "IV")) == 2
    assert place("No contradiction", ("entailment", "contradiction"), lettered=False) is None


ANTICOAGULANTS = ("Heparin", "Aspirin", "Warfarin", "Apixaban")
LABELS = ("entailment", "neutral", "contradiction")
YES_NO = ("yes", "no", "maybe")
DOSES = ("5 mg", "50 mg", "0.5 g", "500 mL/h")


@pytest.mark.parametrize(
    "answer",
    [
        "A: I think it's warfarin.", "B: I believe it is Warfarin.", "A. The answer is warfarin.",
        "A) Warfarin. It inhibits vitamin K epoxide reductase.", "(D) It's warfarin, I guess.",
        "A: Well, that would be warfarin.",
    ],
)  # fmt: skip
def test_a_letter_before_another_options_text_is_a_contradiction(answer):
    assert read_choice(answer, ANTICOAGULANTS, lettered=True).place is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("C: I think it's warfarin.", 2),
        ("C. Unlike aspirin, it acts on clotting factors.", 2),
        ("A, because warfarin is contraindicated.", 0),
        ("A. Aspirin is an antiplatelet drug. Heparin acts at once.", None),
    ],
)
def test_another_options_text_in_a_reason_does_not_contradict(answer, expected):
    reading = read_choice(answer, ANTICOAGULANTS, lettered=True)
    assert reading.place == expected or (expected is None and reading.place == 0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("B. Wait, no: the answer is C.", 2),
        ("B. Wait, C.", 2),
        ("B... no, wait, it's C.", 2),
        ("The answer is B. Sorry, I meant C.", 2),
        ("B. Actually, C.", 2),
        ("B. Actually no, C.", 2),
        ("The answer is B. No, C.", 2),
        ("B. No, because C is contraindicated.", 1),
        ("A. Correction: D", 3),
        ("Aspirin. Wait, no: warfarin.", 2),
        ("B. Wait, is it C? No. B.", 1),
        ("B. Wait for the INR before you give warfarin.", 1),
        ("B. Actually, warfarin is also used, but later.", 1),
        ("B. Wait.", 1),
    ],
)
def test_the_last_word_of_an_answer_that_corrects_itself_counts(answer, expected):
    assert read_choice(answer, ANTICOAGULANTS, lettered=True).place == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("No. 5 of the trial was excluded.", None),
        ("No. 5", None),
        ("No.", 1),
        ("No. The trial had 5 arms.", 1),
        ("No, 5 of 10 patients died.", 1),
        ("Probably yes.", 0),
        ("Most likely no.", 1),
        ("I think yes, because the risk fell.", 0),
        ("Likely yes", 0),
        ("Hmm, yes.", 0),
        ("Well, no.", 1),
        ("Definitely not.", None),
        ("Probably no difference was found.", None),
        ("Is it effective? No.", 1),
        ("Yes? No, maybe.", None),
        ("Yes. Wait, no.", 1),
    ],
)
def test_hedges_numbers_and_questions_around_yes_and_no(answer, expected):
    assert read_choice(answer, YES_NO, lettered=False).place == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Entailment? No, contradiction.", 2),
        ("Entailment? No. Neutral? Yes.", 1),
        ("Entailment? Yes.", 0),
        ("entailed", 0),
        ("It is entailed by the premise.", 0),
        ("The premise entails the hypothesis.", 0),
        ("Contradicted", 2),
        ("The statement contradicts the premise.", 2),
        ("contradictory", 2),
        ("Neutral", 1),
        ("The hypothesis is not entailed; it is neutral.", 1),
        ("The premise does not entail the hypothesis.", None),
        ("Neither entailed nor contradicted.", None),
        ("Contradiction, since the premise entails the opposite.", 2),
        ("The premise entails A, so I say contradiction.", 2),
        ("Entailment. Wait, no: contradiction.", 2),
    ],
)
def test_inflected_labels_and_questions_about_labels(answer, expected):
    assert read_choice(answer, LABELS, lettered=False).place == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("50mg", 1),
        ("Give 50mg daily.", 1),
        ("5mg", 0),
        ("0.5g", 2),
        ("500mL/h", 3),
        ("55mg", None),
        ("150 mg", None),
    ],
)
def test_a_unit_may_stand_without_a_blank(answer, expected):
    assert read_choice(answer, DOSES, lettered=False).place == expected


def test_a_gene_is_no_amount():
    assert read_choice("The 5HT receptor", ("5", "5HT"), lettered=False).place == 1
    assert read_choice("IL2g", ("2 g", "IL"), lettered=False).place is None
