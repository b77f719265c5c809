"""What every score says of its judge: the model, what it is worth, and whom it may favour.

Belongs here: these columns of `judge_scores`. Does not: measuring a judge (measured).
"""

from dataclasses import dataclass, replace
from typing import Any

from bioinstruct_dagster.evaluation.judge.choice import family_of
from bioinstruct_dagster.evaluation.judge.grades import rubric_version
from bioinstruct_dagster.evaluation.judge.measured import STAND_IN, JudgeStanding
from bioinstruct_dagster.settings import DEFAULT_MODELS


@dataclass(frozen=True)
class JudgeFacts:
    """What every score says of its judge.

    Attributes:
        model: the judge.
        standing: what it is worth.
        source_name: of the base model: the name or path by which its family is told.
        wrote_training_data: whether the judge also wrote the rows that the adapter was trained on.
    """

    model: str
    standing: JudgeStanding
    source_name: str
    wrote_training_data: bool = False

    def of_stand_in(self) -> "JudgeFacts":
        """The same where the rehearsal server replied under the judge's name and address.

        What was measured of the judge says nothing of such replies.
        """
        model = DEFAULT_MODELS["rehearsal"]
        return replace(self, model=model, standing=STAND_IN, wrote_training_data=False)

    def columns(self) -> dict[str, Any]:
        """The columns of `judge_scores` about the judge."""
        judge, base = family_of(self.model), family_of(self.source_name)
        same = None if judge is None or base is None else judge == base
        note = self.standing.note
        if same:
            note += " Judge and base model are of one family, so it may favour the model's style."
        if self.wrote_training_data:
            note += (
                " The judge also wrote the training data, so it may favour the adapter's style "
                "over the base model's."
            )
        return {
            "judge_model": self.model,
            "rubric": rubric_version(),
            "judge_state": self.standing.state,
            "judge_note": note,
            "same_family": same,
        }
