-- Views of the store, made from its tables (schema.sql); docs/store.md shows the joins.

-- Each raw row with its repaired texts. If two gates repaired the same field, an empty text is used: an input that only says
-- "no input" becomes empty, even if the privacy gate changed it. Otherwise the text of the later gate is used, because a text
-- without identifiers is safe, and one that the quality gate only shortened may still hold some.
create or replace view repaired_instructions as
with put_right as (
    select
        row_id,
        arg_max(text, case when text = '' then 1000 else gate_order end) filter (where field = 'instruction') as instruction,
        arg_max(text, case when text = '' then 1000 else gate_order end) filter (where field = 'input') as input,
        arg_max(text, case when text = '' then 1000 else gate_order end) filter (where field = 'output') as output,
        list_sort(list(distinct field)) as fields
    from repairs
    join gates using (gate)
    group by row_id
)
select
    raw.row_id,
    raw.ordinal,
    coalesce(put_right.instruction, raw.instruction) as instruction,
    coalesce(put_right.input, raw.input) as input,
    coalesce(put_right.output, raw.output) as output,
    coalesce(put_right.fields, []) as repaired,
    raw.rehearsal
from raw_instructions as raw
left join put_right using (row_id);

-- The rows that pass all gates that check a row by itself. The novelty gate compares these rows.
create or replace view passing_instructions as
select *
from repaired_instructions
anti join (
    select row_id
    from verdicts
    join gates using (gate)
    where verdict = 'reject' and by_row
) as dropped using (row_id);

-- The rejected raw rows, each with the first gate that rejected it, in the order of the table gates.
create or replace view rejected_instructions as
select
    raw.row_id,
    raw.ordinal,
    said.gate,
    said.rule as reason,
    said.evidence as detail,
    said.evidence ->> 'nearest_id' as nearest_id,
    said.score,
    raw.instruction,
    raw.input,
    raw.output,
    raw.rehearsal
from raw_instructions as raw
join verdicts as said using (row_id)
join gates using (gate)
where said.verdict = 'reject'
qualify row_number() over (partition by raw.row_id order by gates.gate_order, said.place) = 1;

-- Rows whose category a person should review.
create or replace view category_review as
select
    labelled.row_id,
    labelled.instruction,
    labelled.category,
    labelled.labelled_by,
    labelled.confidence,
    said.evidence
from categorized_instructions as labelled
left join verdicts as said on said.row_id = labelled.row_id and said.gate = 'category'
where labelled.needs_review
order by labelled.confidence nulls first, labelled.ordinal;

-- The labelled rows as the data set takes them: without the rows that reviewers reject, and with the reviewers' categories.
create or replace view reviewed_instructions as
select labelled.* replace (
    coalesce(review.category, labelled.category) as category,
    coalesce(review.labelled_by, labelled.labelled_by) as labelled_by
)
from categorized_instructions as labelled
left join review_results as review using (row_id)
where not coalesce(review.excluded, false);

-- Rows about which reviewers contradict each other, with what each of them says.
create or replace view review_adjudication as
select
    review.row_id,
    review.item_id,
    raw.instruction,
    said.reviewer,
    said.decision,
    said.category,
    said.reason,
    said.comment
from review_results as review
join review_judgements as said on said.item_id = review.item_id and said.state = 'current'
join raw_instructions as raw on raw.row_id = review.row_id
where review.needs_adjudication
order by raw.ordinal, said.reviewer;

-- How many rows reached each step from seeds to data set, and the reasons of the others.
create or replace view funnel as
with steps as (
    select 1 as step, 'seed_tasks' as stage, 'kept' as outcome, count(*) as rows from seed_tasks
    union all
    select 2, 'completions', outcome, count(*) from completion_outcomes group by outcome
    union all
    select 3, 'raw_instructions', 'kept', count(*) from raw_instructions
    union all
    select 4, 'rejected_instructions', gate || ': ' || reason, count(*)
    from rejected_instructions group by gate, reason
    union all
    select 5, 'deduplicated_instructions', 'kept', count(*) from deduplicated_instructions
    union all
    select 6, 'categorized_instructions', category, count(*) from categorized_instructions group by category
    union all
    select 7, 'review_results', 'excluded: ' || coalesce(case when decision = 'disputed' then decision end, reason, 'rejected'),
        count(*)
    from review_results
    semi join categorized_instructions using (row_id)
    where excluded group by all
    union all
    select 8, 'hf_dataset', split, count(*) from hf_dataset group by split
)
select step, stage, outcome, rows from steps order by step, rows desc, outcome;

-- Every raw row with its request, its completion, its share of the cost, and its place in the data set or its reason.
create or replace view lineage as
select
    raw.row_id,
    raw.source,
    raw.instruction,
    coalesce(
        rejected.gate || ': ' || rejected.reason,
        case when review.excluded then 'review: ' || coalesce(case when review.decision = 'disputed' then 'disputed' end, review.reason) end,
        'kept'
    ) as fate,
    coalesce(review.category, labelled.category) as category,
    coalesce(review.labelled_by, labelled.labelled_by) as labelled_by,
    placed.split,
    raw.completion_id,
    raw.position,
    completion.seed_ids,
    raw.controls,
    completion.controls_sha256,
    completion.template_id,
    completion.template_sha256,
    completion.reply_format,
    completion.parameters,
    completion.run_seed,
    completion.request_number,
    completion.draw,
    completion.teacher,
    completion.endpoint,
    completion.model_asked,
    completion.model_answered,
    completion.request_id,
    completion.system_fingerprint,
    completion.service,
    completion.service_tier,
    completion.batch_id,
    completion.run_id,
    completion.requested_at,
    completion.completed_at,
    outcome.outcome as reply_outcome,
    completion.prompt_tokens / outcome.tasks as prompt_tokens_share,
    completion.completion_tokens / outcome.tasks as completion_tokens_share,
    completion.usd / outcome.tasks as usd_share,
    raw.rehearsal
from raw_instructions as raw
left join completions as completion using (completion_id)
left join completion_outcomes as outcome using (completion_id)
left join rejected_instructions as rejected using (row_id)
left join categorized_instructions as labelled using (row_id)
left join review_results as review using (row_id)
left join hf_dataset as placed using (row_id);

-- The cost of this store so far. Open batches and requests without a reply count at the most that they can cost.
create or replace view spend as
select 'settled' as kind, run_id, purpose, rehearsal, count(*) as requests, sum(usd) as usd,
    sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0))::bigint as tokens,
    count(*) filter (where usd is null) as unpriced
from completions group by all
union all
select 'presumed', run_id, null, rehearsal, count(*), sum(usd), sum(tokens)::bigint,
    count(*) filter (where usd is null)
from presumed_spend group by all
union all
-- A server is a rehearsal if its last reply was: a rehearsal server may also answer under the name of another teacher.
select 'reserved by batches', run_id, purpose,
    teacher = 'rehearsal' or model = 'rehearsal-teacher' or coalesce(
        (select arg_max(rehearsal, completed_at) from completions where completions.endpoint = batches.endpoint), false
    ), sum(requests)::bigint, sum(usd),
    sum(tokens)::bigint, coalesce(sum(requests) filter (where usd is null), 0)::bigint
from batches where state in ('submitting', 'open') group by all;
