"""What earlier requests of the same kind took: tokens and seconds, read from the store.

Belongs here: the first values of a round. Does not: learning while the round runs (tokens), or the
estimate that is shown to the user (estimates).
"""

from typing import Any

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.money.estimates import FIRST_LATENCY
from bioinstruct_dagster.teacher.money.tokens import FIRST_OUTPUT_SHARE, TokenModel
from bioinstruct_dagster.teacher.requests import TeacherRequest

# What the same kind of request took before: the newest few hundred are enough to go by.
EXPERIENCE = """
    select
        count(*) as replies,
        avg(completion_tokens / (parameters ->> 'max_completion_tokens')::bigint) as output_share,
        median(epoch(completed_at) - epoch(requested_at)) as latency
    from (
        select *
        from completions
        where teacher = $teacher and model_asked = $model and template_id = $template_id
            and service != 'batch'
        order by completed_at desc
        limit 300
    )
"""


def experience(store: Store, example: TeacherRequest) -> tuple[TokenModel, float, int]:
    """What such requests took before: tokens, seconds, and from how many replies that is known."""
    known: dict[str, Any] = {"replies": 0}
    if store.path.exists():
        known = store.rows(
            EXPERIENCE,
            {
                "teacher": example.teacher,
                "model": example.model,
                "template_id": example.template_id,
            },
        )[0]
    if not known["replies"]:
        return TokenModel(), FIRST_LATENCY, 0
    share = FIRST_OUTPUT_SHARE if known["output_share"] is None else known["output_share"]
    return TokenModel(output_share=share), known["latency"], known["replies"]
