"""Which requests a run rests on: those asked for, those answered before, and those to grow by.

Belongs here: choosing request numbers. Does not: building a request (requests) or sending it
(teacher).
"""

from bioinstruct_dagster.generation.requests import Series, TeacherRequest
from bioinstruct_dagster.generation.teacher import known_completions
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import fold

# How far earlier runs, or a weekly refresh, took the series. Only a hint where to look: whether a
# request is answered is what its completion_id says.
HIGHEST_REQUEST_NUMBER = """
    select max(request_number) as number
    from completions
    where purpose = 'generation' and teacher = $teacher and model_asked = $model
      and run_seed = $run_seed
"""

YIELD = """
    select
        (select count(*) from deduplicated_instructions) as kept,
        (select count(*) from completion_outcomes) as requests
"""

LEAST_YIELD = 0.1  # of the tasks asked for; below it, more requests are not the remedy
FIRST_YIELD = 0.5  # assumed while there is nothing to go by


def plan_requests(
    series: Series, store: Store, *, wanted: int, grow_by: int = 0
) -> list[TeacherRequest]:
    """The first `wanted` requests, later ones that are answered already, and new ones to grow by.

    A later request is never asked for merely because it was once: a changed seed file or prompt
    must not spend money beyond what the settings ask for.

    Args:
        series: the requests by number.
        store: which completions there are.
        wanted: requests that the set is to rest on.
        grow_by: kept rows to add; turned into requests by the yield so far.
    """
    fold(store)
    highest = store.rows(
        HIGHEST_REQUEST_NUMBER,
        {"teacher": series.teacher, "model": series.model, "run_seed": series.run_seed},
    )[0]["number"]
    later = [series.request(number) for number in range(wanted, (highest or 0) + 1)]
    known = known_completions(store, [request.completion_id for request in later])
    answered = {r.request_number: r for r in later if r.completion_id in known}

    chosen = [series.request(number) for number in range(wanted)]
    new = _requests_to_grow(store, grow_by, series.tasks_per_request) if grow_by else 0
    number = wanted
    while new or answered:
        if number in answered:
            chosen.append(answered.pop(number))
        elif new:
            chosen.append(series.request(number))
            new -= 1
        number += 1
    return chosen


def _requests_to_grow(store: Store, rows: int, tasks_per_request: int) -> int:
    so_far = store.rows(YIELD)[0]
    if so_far["kept"] and so_far["requests"]:
        per_request = float(so_far["kept"] / so_far["requests"])
    else:
        per_request = FIRST_YIELD * tasks_per_request
    return max(1, round(rows / max(per_request, LEAST_YIELD * tasks_per_request)))
