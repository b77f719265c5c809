"""Sentences and words in one spelling."""

from bioinstruct_dagster.evaluation.metrics.composite.tokens import sentences_of


def test_contractions_and_spelled_letters():
    assert sentences_of("I don't; he can't. An E K G, I M.") == [
        ["i", "do", "not"],
        ["he", "can", "not"],
        ["an", "ekg", ",", "im"],
    ]


def test_a_question_ends_with_its_mark():
    assert sentences_of("Any fever? No.") == [["any", "fever", "?"], ["no"]]


def test_numbers_of_a_list_are_left_out_and_others_stay():
    assert sentences_of("1.  Migraine. 2.  Nausea. 3.") == [["migraine"], ["nausea"]]
    assert sentences_of("Mother died at 59. Father died at 91.") == [
        ["mother", "died", "at", "59"],
        ["father", "died", "at", "91"],
    ]


def test_a_heading_says_nothing_itself():
    assert sentences_of("GI: No nausea. REVIEW OF SYSTEMS: none") == [["no", "nausea"], ["none"]]


def test_an_abbreviation_ends_no_sentence_but_no_does():
    assert sentences_of("Seen by Dr. Luna. Fever? No. cough") == [
        ["seen", "by", "dr", "luna"],
        ["fever", "?"],
        ["no"],
        ["cough"],
    ]


def test_hyphens_and_marks_of_other_scripts():
    assert sentences_of("A follow\u2011up, 62\u2013year-old.") == [
        ["a", "followup", ",", "62", "year", "old"]
    ]
    assert sentences_of("") == []
    assert sentences_of("\u00e9\u00e9 \u4e2d ...") in ([], [["e"]])


def test_short_forms_and_signs_of_notes():
    def words(text):
        return [" ".join(one) for one in sentences_of(text)]

    assert words("Fever +, SOB -") == ["fever positive , sob negative"]
    assert words("(-) fever; cough (+).") == ["no fever", "cough positive"]
    assert words("- fever") == ["fever"]
    assert words("Neg. for fever, w/o cough") == ["negative for fever , without cough"]
    assert words("BID x 5 d; 4x/wk; twice daily") == [
        "2 times daily x 5 day",
        "4 times a week",
        "2 times daily",
    ]
    assert words("Vitamin D 5 days") == ["vitamin d 5 days"]


def test_long_runs_of_blanks_end():
    assert sentences_of("a" + "\n " * 100_000 + "b") == [["a"], ["b"]]
