"""What the paper says of its scores, as quotation, and what is not known of them.

Belongs here: the quoted figures. Does not: our averages, which stand beside them and are never
mixed with them (evaluation.statistics.averages).
"""

from dataclasses import dataclass
from typing import Literal

SOURCE = (
    "Tran, Yang, Yao and Yu: BioInstruct: instruction tuning of large language models for "
    "biomedical natural language processing. J Am Med Inform Assoc 2024, abstract"
)


@dataclass(frozen=True)
class QuotedGain:
    """A relative gain that the paper's abstract states.

    Attributes:
        category: of tasks, as task files name it.
        metric: what was averaged, in the abstract's words.
        gain: of the instruction-tuned model over the same model without it; 0.173 is 17.3 %.
    """

    category: Literal["question_answering", "extraction", "generation"]
    metric: str
    gain: float


QUOTED_GAINS = (
    QuotedGain("question_answering", "average accuracy metric", 0.173),
    QuotedGain("extraction", "average F1 metric", 0.057),
    QuotedGain("generation", "average GPT-4 score metric", 0.96),
)
# The project could read the abstract and not the paper's tables.
NOT_KNOWN = (
    "The scores of single tasks, their numbers of items, and any interval.",
    "The prompts, the splits and the decoding of the evaluation.",
    "Whether the nine tasks are those that we recall.",
    "The rubric of the GPT-4 score, and the version of the judge.",
    "Whether an average counts each task alike.",
)


def quoted_gain(category: str) -> QuotedGain | None:
    """The paper's gain in a category of tasks; None for a category that it does not name."""
    return next((each for each in QUOTED_GAINS if each.category == category), None)
