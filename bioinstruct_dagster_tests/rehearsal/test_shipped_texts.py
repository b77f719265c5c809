"""What ships is right: arithmetic, sources of guidance, invented studies, no added detail."""

import re
from itertools import combinations

import pytest

from bioinstruct_dagster_tests.rehearsal.shipped_texts import paragraphs, shipped_tasks, task

NUMBER = r"\d[\d,]*(?:\.\d+)?"
UNIT = r"(?: ?(?:%|[a-zA-Zµ]{1,11}²?(?:/[a-zA-Z]+)?))?"
TERM = rf"\(?{NUMBER}{UNIT}\)?"
RESULT = r"\d[\d,]*+(?:\.\d++)?+"
EQUATION = re.compile(
    rf"(?<![\w.,^/*×x÷+−-])({TERM}(?: ?[×x÷/+\-−*] ?{TERM})+) ?[=≈] ?(?:about )?"
    rf"({RESULT})(%?)(?! ?[/:÷])"
)
FEWEST_EQUATIONS = 60

# Tasks that say in other words what the input says. Their outputs may hold no new number.
RESTATES = re.compile(
    r"\A(?:summari[sz]e|condense|rewrite|simplify|translate|turn|recast|shorten|reduce|paraphrase"
    r"|reorganize|reformulate|convert the dialogue|draft the assessment and plan that"
    r"|record today's|write the history|write a (?:progress|brief SOAP) note"
    r"|write a nursing handover)\b",
    re.IGNORECASE,
)
# Numbers that follow from the input: a count, a difference, tablets for a dose, an expanded date.
DERIVED = {
    "007.1": {"100"},
    "039.1": {"20", "55"},  # 11 of twenty
    "130.1": {"6", "00"},  # 0600
    "seed-006": {"30"},  # pack-years
    "seed-008": {"07", "00"},  # seven o'clock
    "seed-052": {"5"},  # one in five
    "013.1": {"60", "100"},  # 14 of 35, and "43 in 100" for 43 %
    "062.5": {"1", "4", "2", "6", "11", "15"},  # tablets and days of a taper
    "097.1": {"26"},  # 30 hospitals less 4 with a team
    "127.4": {"6", "100"},  # about 6 for 6.3
    "seed-009": {"84"},  # 270 of 320
}

# Where guidelines or regions differ, the text says which one it follows.
GUIDANCE = [
    (r"rabies vaccine given|rabies immune globulin", r"\bUS\b|ACIP"),
    (r"bacterial meningitis[^.]*empirically|ampicillin is added", r"United States|United Kingdom"),
    (r"3 to 4 days before scheduled surgery", r"United States"),
    (r"yearly fecal immunochemical|annual fecal immunochemical", r"United States"),
    (r"\bboosters every ten years", r"United States"),
    (r"doses when started before fifteen|two doses sufficient", r"United States"),
    (r"doxycycline 100 milligrams twice daily for ten", r"American"),
    (r"blood loss of one liter", r"ACOG"),
    (r"removing personal protective equipment", r"CDC"),
    (r"gonorrhea in an adult", r"CDC"),
    (r"severe hypertension in pregnancy when", r"ACOG"),
    (r"required storage temperature", r"AABB"),
    (r"case of head lice", r"CDC"),
    (r"salbutamol 100 microgram metered-dose", r"England"),
    (r"prophylaxis against Pneumocystis", r"KDIGO"),
    (r"metformin be held before", r"American College of Radiology"),
    (r"at or above 95 milligrams per deciliter", r"American"),
    (r"urate is below 6", r"British Society for Rheumatology"),
    (r"Stroke risk is estimated", r"CHA2DS2-VASc[\s\S]*CHA2DS2-VA\b"),
    (r"lumbar puncture at least 12 hours", r"NICE"),
    (r"Diabetic ketoacidosis arises", r"consensus of 2024"),
    (r"single temperature of 38\.3", r"IDSA"),
    (r"defined by (?:KDIGO as )?a rise", r"KDIGO"),
]

# Results of well-known studies. A study in these texts is invented, and so are its figures.
REAL_FIGURES = [
    r"8\.70? mmHg",  # PATHWAY-2
    r"1\.9 ?% and 3\.8 ?%",  # rectal artesunate, Gomes 2009
    r"63\.?7? ?% versus 44|44\.?1? ?% to 63",  # KEYNOTE-054
    r"0\.98[^.]{0,20}95% CI 0\.8[39]",  # VITAL, fractures
    r"0\.7[45][^.]{0,20}95% CI 0\.5[58] to 0\.9[79]",  # Cochrane review of cranberry products
    r"81\.?6?% protection",  # typhoid conjugate vaccine, Nepal
    r"reduced platelet use by 2[12]",  # Rebulla 1997
    r"\b(?:7|9|11) of [\d,]+ vaccinated and (?:40|55|33) of",  # RSV vaccines: three trials
    r"1\.6 percent per year[^.]*1\.9 percent",
]


def test_a_study_has_invented_figures():
    texts = [one.text for one in shipped_tasks()] + paragraphs()
    assert [text for text in texts if any(re.search(one, text) for one in REAL_FIGURES)] == []


def value_of(expression: str) -> float:
    """The value of plain arithmetic with units."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", expression)
    plain = plain.translate(str.maketrans({"×": "*", "÷": "/", "−": "-", "%": None}))
    plain = plain.replace(" x ", "*")
    plain = re.sub(r"(?<=\d) ?[a-zA-Zµ]+²?(?:/[a-zA-Z]+)?", "", plain)
    unopened = max(0, plain.count(")") - plain.count("("))
    unclosed = max(0, plain.count("(") - plain.count(")"))
    assert re.fullmatch(r"[\d.+\-*/() ]+", plain), expression
    return float(eval("(" * unopened + plain + ")" * unclosed))  # noqa: S307  digits and signs only


def test_every_stated_equation_holds():
    wrong, found = [], 0
    for one in shipped_tasks():
        for expression, result, percent in EQUATION.findall(one.output):
            found += 1
            value = value_of(expression)
            value *= 100 if percent and value <= 1 else 1
            decimals = len(result.partition(".")[2])
            if abs(value - float(result.replace(",", ""))) > 0.501 * 10**-decimals:
                wrong.append((one.name, expression, result, value))
    assert wrong == []
    assert found >= FEWEST_EQUATIONS


def test_a_wrong_equation_would_be_found():
    (expression, result, _), *_ = EQUATION.findall("Rate: 480 mcg ÷ 80 mcg/mL = 7 mL/h.")
    assert value_of(expression) == pytest.approx(6)
    assert result == "7"


def numbers_of(text: str) -> set[str]:
    return set(re.findall(NUMBER.replace(r"[\d,]*", r"(?:[\d,]*\d)?"), text))


def test_no_two_calculations_reckon_with_the_same_numbers():
    reckoned = [
        (one.name, numbers_of(one.input))
        for one in shipped_tasks()
        if re.search(r"mg|mcg|micrograms", one.input) and EQUATION.search(one.output)
    ]
    assert len(reckoned) >= 10
    same = [
        (one, other)
        for (one, its), (other, theirs) in combinations(reckoned, 2)
        if len(its & theirs) >= 3 and (its <= theirs or theirs <= its)
    ]
    assert same == []


def test_a_text_that_restates_its_input_adds_no_number():
    added, restating = [], 0
    for one in shipped_tasks():
        if one.input and RESTATES.match(one.instruction) and "http" not in one.input:
            restating += 1
            known = numbers_of(one.instruction + one.input) | DERIVED.get(one.name, set())
            in_list = set(re.findall(r"^(\d)[.)] ", one.output, re.MULTILINE))
            new = numbers_of(one.output) - known - in_list - {"1", "2"}
            if new:
                added.append((one.name, sorted(new)))
    assert added == []
    assert restating >= 60


SEX = re.compile(
    r"\b(?:wom[ae]n|m[ae]n|girls?|boys?|fe?male|mother|father|mum|dad|sons?|daughters?|sisters?"
    r"|brothers?|aunt|uncle|niece|wife|husband|mr|mrs|ms|he|she|his|her|him|pregnan\w+|gp|menarche"
    r"|hysterectomy|TAH-BSO|grand(?:son|mother|father)|\d+ ?[MF]|[MF], \d+|player|G\dP\d)\b",
    re.IGNORECASE,
)


def test_no_output_gives_a_sex_that_the_input_does_not():
    given = [
        one.name
        for one in shipped_tasks()
        if one.input
        and re.search(r"\b(?:he|she|his|her|him)\b", one.output)
        and not SEX.search(one.instruction + " " + one.input)
    ]
    assert given == []


@pytest.mark.parametrize(("subject", "source"), GUIDANCE)
def test_a_text_says_whose_guidance_it_follows(subject, source):
    texts = [one.text for one in shipped_tasks()] + paragraphs()
    about = [text for text in texts if re.search(subject, text)]
    assert about, "no text on this subject is left: remove the line"
    assert [text for text in about if not re.search(source, text)] == []


def test_the_corpus_says_that_potassium_comes_before_insulin_in_ketoacidosis():
    (one,) = [part for part in paragraphs() if part.startswith("Diabetic ketoacidosis arises")]
    assert one.index("Potassium is measured before insulin") < one.index("insulin is infused")


def test_the_corpus_gives_the_origins_of_trisomy_21():
    (one,) = [part for part in paragraphs() if part.startswith("Trisomy 21")]
    assert "ninety-five percent of cases" in one
    assert "About ninety percent of these errors happen in the mother" in one


@pytest.mark.parametrize(
    ("name", "must", "must_not"),
    [
        ("seed-007", "Simple bladder infection", "uncomplicated"),
        ("seed-008", "did not say which measure", "eGFR"),
        ("seed-009", "no step-up yet", "come first"),
        ("seed-033", "does not exclude a posterior stroke", None),
        ("009.1", "Telemetry showed", "likely cause"),
        ("016.3", "once a day for 28 days", "black stools"),
        ("031.4", "positive Murphy sign", "consistent with"),
        ("035.1", "losing the thread when speaking", None),
        ("056.2", "5 millimeters", "common with age"),
        ("058.3", "4.5 mL/h", "80 kg"),
        ("084.1", "up to 20 shampoos", "continue her training"),
        ("085.3", "38%", "not a worry"),
        ("098.1", "sinus rhythm", "no source"),
        ("132.4", "central venous pressure 9;", "9 mmHg"),
        ("134.1", "urinary frequency", None),
    ],
)
def test_an_output_says_what_its_input_says(name, must, must_not):
    output = task(name).output
    assert must in output
    assert must_not is None or must_not not in output


def test_an_output_keeps_the_words_that_its_instruction_allows():
    limit = re.compile(
        r"\b(?:under|fewer than|at most|no more than|in about|an?) (\d+)[ -]words?\b", re.IGNORECASE
    )
    found = [(one, int(most)) for one in shipped_tasks() for most in limit.findall(one.instruction)]
    assert len(found) >= 6
    # The instruction may ask for "about 70 words" or "a 60-word summary": a tenth more is right.
    # In 134.2 the limit is that of the improved text.
    long = [
        (one.name, most)
        for one, most in found
        if len(one.output.rpartition("Improved:")[2].split()) > 1.1 * most
    ]
    assert long == []
