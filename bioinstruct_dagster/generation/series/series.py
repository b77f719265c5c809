"""The series of generation requests of one run seed, by request number.

Belongs here: building the request of a number. Does not: the draw of seeds (seed_draw), the words
of a prompt (prompts), or how many requests are sent (goal).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.generation.series.prompts import TEMPLATE_ID, template
from bioinstruct_dagster.generation.series.seed_draw import draw_seeds, sampling_seed
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.teacher.output_limits import TOKENS_PER_TASK, OutputLimits
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest

TEMPERATURE = 1.0  # stanford_alpaca's generate_instruction.py


@dataclass(frozen=True)
class Series:
    """The generation requests of one run seed: an endless series.

    Each request can be rebuilt without the others. The limits of output are no part of its key.
    """

    seeds: Sequence[SeedTask]
    teacher: str
    model: str
    run_seed: int
    tasks_per_request: int
    reply_format: ReplyFormat = "json_schema"
    controls_sha256: str | None = None
    limits: OutputLimits = field(default_factory=OutputLimits)

    def request(
        self,
        number: int,
        controls: Sequence[Mapping[str, str]] = (),
        control_lines: Sequence[str] = (),
    ) -> TeacherRequest:
        """The request of this number, from 0.

        Args:
            number: place in the series. The number and the run seed determine the seeds shown.
            controls: the requested value of each control dimension, by task.
            control_lines: these controls in the words of the prompt, a line for each task.
        """
        shown = draw_seeds(self.seeds, self.run_seed, number)
        form = template(self.reply_format, controlled=bool(control_lines))
        parameters: dict[str, Any] = {
            "temperature": TEMPERATURE,
            "max_completion_tokens": TOKENS_PER_TASK * self.tasks_per_request,
            "seed": sampling_seed(self.run_seed, number),
        }
        if form.response_format is not None:
            parameters["response_format"] = form.response_format
        request = TeacherRequest(
            purpose="generation",
            teacher=self.teacher,
            model=self.model,
            parameters=parameters,
            messages=form.messages(shown, self.tasks_per_request, control_lines),
            template_id=TEMPLATE_ID,
            template_sha256=form.sha256,
            reply_format=self.reply_format,
            run_seed=self.run_seed,
            request_number=number,
            seed_ids=tuple(seed.id for seed in shown),
            controls=tuple(controls),
            controls_sha256=self.controls_sha256 if controls else None,
        )
        return self.limits.applied_to(request, self.tasks_per_request)
