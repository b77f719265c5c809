"""Questions and answers of a dialogue."""

from bioinstruct_dagster.evaluation.metrics.composite.dialogue import source_clauses


def stances(text: str) -> dict[str, tuple[bool, bool]]:
    return {
        concept.name: (clause.negated, clause.certain)
        for clause in source_clauses(text)
        for concept in clause.concepts
    }


def test_the_answer_decides():
    found = stances(
        "Doctor: Any fever?\nPatient: No.\nDoctor: Do you cough?\nPatient: Yeah, at times.\n"
        "Doctor: And asthma?\nPatient: Let me think.\nDoctor: Fine. Any rash?"
    )
    assert found["fever"] == (True, True)
    assert found["cough"] == (False, True)
    assert found["asthma"][1] is False
    assert found["rash"][1] is False  # nobody answers


def test_turns_may_stand_in_one_line_and_have_other_speakers():
    found = stances("Doctor: Any fever? Guest_family: Nope. Doctor: Gout? Patient: I do.")
    assert found["fever"] == (True, True)
    assert found["gout"] == (False, True)


def test_a_text_without_turns_is_read_as_a_note():
    assert stances("No fever. Cough.") == {"fever": (True, True), "cough": (False, True)}
    assert source_clauses("") == []
