"""The prompts that all clients send, and the answers that they should return.

Each prompt holds its number. The server counts by this number and the answer repeats it, so that a
lost, doubled or swapped row is found. Belongs here: texts. Does not: sending them (ours, peers).
"""

MODEL = "gpt-4o-mini"  # asked for by all; its real limits and prices are known to the clients
WARM_UP = "Warm-up, not measured."
PROMPT_BYTES = 2_400

# Plain biomedical English, some four characters to the token.
_TEXT = (
    "A 54-year-old woman with type 2 diabetes and stage 3 chronic kidney disease takes metformin "
    "1 g twice daily, lisinopril 20 mg, and atorvastatin 40 mg. HbA1c 8.4 %, eGFR 38 mL/min, "
    "blood pressure not at goal. She asks whether the dose is still right for her, "
    "what to do on days when she is sick, and why her ankles swell at night since the new tablet. "
    "Her daughter would like to know what to eat and whether walking every day is good for her. "
    "She has had no chest pain, and her breathing is normal at rest and on climbing stairs. "
    "She lives alone, cooks for herself, and is able to check her own blood sugar at home. "
    "Nobody has yet explained to her which of these tablets protects the kidneys and how. "
)
ANSWER = (
    "Metformin should be halved to 500 mg twice daily below an eGFR of 45 and stopped below 30. "
    "On sick days with vomiting or diarrhoea, pause metformin and lisinopril until she eats and "
    "drinks normally for 24 to 48 hours. Ankle swelling is a dose-related effect of amlodipine "
    "and not a sign of heart failure by itself. "
)


def prompt(number: int) -> str:
    """The prompt of this number."""
    head = f"Request {number:06d}. Write five new biomedical instruction tasks after this note. "
    return (head + _TEXT * (PROMPT_BYTES // len(_TEXT) + 1))[:PROMPT_BYTES]


def answer_to(number: str, size: int) -> str:
    """The answer to the request of this number, `size` bytes long."""
    head = f"Answer {number}. "
    return (head + ANSWER * (size // len(ANSWER) + 1))[:size]


def answered_number(answer: object) -> str | None:
    """The number that an answer repeats; None if the text is not an answer of the server."""
    head = "Answer "
    if not isinstance(answer, str) or not answer.startswith(head):
        return None
    return answer[len(head) : len(head) + 6]
