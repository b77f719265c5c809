"""The tokens and seconds that earlier requests of one template took, read from the store.

Belongs here: the first values of a round. Does not: learning while the round runs (tokens), or the
estimate that the user sees (estimates).
"""

from typing import Any

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.money.estimates import FIRST_LATENCY
from bioinstruct_dagster.teacher.money.tokens import FIRST_OUTPUT_SHARE, TokenForecast
from bioinstruct_dagster.teacher.requests import TeacherRequest

# The newest replies are enough, and the most like the next ones.
EARLIER_REPLIES = """
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


def experience(store: Store, example: TeacherRequest) -> tuple[TokenForecast, float, int]:
    """The expected tokens and seconds of such a request, and how many replies they come from."""
    known: dict[str, Any] = {"replies": 0}
    if store.path.exists():
        known = store.rows(
            EARLIER_REPLIES,
            {
                "teacher": example.teacher,
                "model": example.model,
                "template_id": example.template_id,
            },
        )[0]
    if not known["replies"]:
        return TokenForecast(), FIRST_LATENCY, 0
    share = FIRST_OUTPUT_SHARE if known["output_share"] is None else known["output_share"]
    return TokenForecast(output_share=share), known["latency"], known["replies"]
