-- Tables and views of the store; docs/store.md explains the keys and shows the joins.
-- One table per asset, named as the asset. Tables marked [append-only] hold what was paid for or
-- computed and are never rewritten; the others hold the last materialization of their asset.

create table if not exists store_version (version integer not null);

create table if not exists seed_tasks (
    seed_id         varchar not null,   -- the file's `id`
    ordinal         integer not null,   -- position in the file, from 0
    category        varchar not null,   -- information_extraction | question_answering | generation | other
    source_family   varchar not null,   -- kind of task in the literature that it follows
    instruction     varchar not null,   -- what is asked
    input           varchar not null,   -- what it is asked of; empty where the task needs none
    output          varchar not null    -- the answer to learn
);

-- [append-only] Every reply a teacher ever gave us, stored before it is parsed.
create table if not exists completions (
    completion_id       varchar not null,     -- sha256 of the canonical request: the same request is asked once
    purpose             varchar not null,     -- generation | categorization | quality_check | probe | that of another question
    teacher             varchar not null,     -- rehearsal | openai
    endpoint            varchar,              -- address asked, without credentials
    rehearsal           boolean not null,
    model_asked         varchar not null,
    model_answered      varchar,
    parameters          json not null,        -- decoding parameters, token limit, response format
    messages            json not null,        -- the full prompt, system message included
    reply_format        varchar not null,     -- json_schema | json_object | text
    template_id         varchar not null,
    template_sha256     varchar not null,     -- of the prompt's fixed text and response format
    draw                integer not null,     -- 0, or 1 where the same request was asked once more
    run_seed            bigint,               -- generation: with request_number, fixes the draw of seeds
    request_number      bigint,
    seed_ids            varchar[] not null,   -- seeds shown, in the order shown
    controls            json,                 -- what was asked of each task of the reply, by control dimension
    controls_sha256     varchar,              -- of the controls file that these were drawn from
    content             varchar not null,     -- the reply, as received
    refusal             varchar,
    finish_reason       varchar,
    request_id          varchar,              -- the server's x-request-id
    system_fingerprint  varchar,
    service             varchar not null,     -- online | flex | batch, as asked
    service_tier        varchar,              -- as answered; what was really billed
    batch_id            varchar,              -- of the Batch API
    prompt_tokens       bigint,
    cached_tokens       bigint,               -- of the prompt, billed at the cached price
    completion_tokens   bigint,
    usd                 double,               -- null where the model's price is not known
    run_id              varchar,              -- the Dagster run that paid for it
    requested_at        timestamptz not null,
    completed_at        timestamptz not null
);

-- [append-only] Requests that were sent and whose reply never came: a kill, a broken connection. They may have been
-- billed, so the budget counts them at the most that they can have cost.
create table if not exists presumed_spend (
    reservation_id  varchar not null,
    completion_id   varchar not null,   -- the request; asked again, it may be in completions too
    run_id          varchar,
    usd             double,             -- at most; null where the model's price is not known
    tokens          bigint not null,    -- at most
    rehearsal       boolean not null,
    reserved_at     timestamptz not null
);

-- [append-only] What each round of requests came to, whichever way it ended.
create table if not exists teacher_rounds (
    started_at          timestamptz not null,
    finished_at         timestamptz not null,
    run_id              varchar,
    purpose             varchar not null,   -- generation | categorization | quality_check
    teacher             varchar not null,
    model               varchar not null,
    service             varchar not null,   -- online | flex | batch
    reused              bigint not null,    -- completions that the store held already
    asked               bigint not null,    -- completions asked of the teacher and stored
    failed              bigint not null,    -- requests that failed, to be asked again
    rate_limited        bigint not null,    -- 429 replies on the way
    retried             bigint not null,    -- sends that were repeated, 429s included
    presumed            bigint not null,    -- sent, and no reply came; see presumed_spend
    usd                 double,             -- settled in this round; null where the price is not known
    tokens              bigint not null,    -- settled in this round
    stopped             varchar,            -- why it stopped before its goal; null where it did not
    rehearsal           boolean not null
);

-- [append-only] How a server wants to be asked, found by one probe; the last one counts.
create table if not exists teacher_dialects (
    teacher             varchar not null,
    endpoint            varchar not null,
    model               varchar not null,
    api                 varchar not null,   -- chat | responses
    reply_format        varchar not null,   -- json_schema | json_object | text
    token_limit_name    varchar not null,   -- max_completion_tokens | max_tokens
    left_out            varchar[] not null, -- parameters that the server refuses
    evidence            varchar not null,   -- what the probe saw
    requests_per_minute bigint,             -- of the server's headers
    tokens_per_minute   bigint,
    probed_at           timestamptz not null
);

-- Jobs of the Batch API. The row is written before the job exists, so that a kill in between leaves a trace.
create table if not exists batches (
    batch_key       varchar not null,    -- ours; the job carries it as metadata
    batch_id        varchar,             -- the server's; null until it is created
    state           varchar not null,    -- submitting | open | harvested | failed
    status          varchar,             -- the server's last word
    purpose         varchar not null,
    teacher         varchar not null,
    endpoint        varchar not null,
    model           varchar not null,
    requests        bigint not null,
    answered        bigint not null,
    usd             double,              -- reserved while open; at most
    tokens          bigint not null,     -- reserved while open; at most
    run_id          varchar,
    resume          json not null,       -- run configuration with which a later run takes up its replies
    detail          varchar not null,    -- errors, in short
    submitted_at    timestamptz not null,
    finished_at     timestamptz
);

-- [append-only] The requests of each batch, whole, so that a harvest needs nothing else.
create table if not exists batch_requests (
    batch_key       varchar not null,
    completion_id   varchar not null,
    request         json not null
);

-- How the replies behind the current raw_instructions were read; one row per completion.
create table if not exists completion_outcomes (
    completion_id   varchar not null,
    outcome         varchar not null,   -- parsed | truncated | refused | empty | malformed | wrong_schema
    tasks           integer not null,   -- rows read from it, those salvaged from a broken reply included
    dropped         integer not null,   -- tasks that were there and could not be read
    detail          varchar not null
);

create table if not exists raw_instructions (
    row_id          varchar not null,   -- sha256 of (completion, position) or (import, texts, times before), 24 hex digits
    ordinal         bigint not null,    -- canonical order: request number then position, or row of the import
    completion_id   varchar,            -- null for imported rows
    position        integer not null,   -- place in the reply, or in the imported file, from 0
    controls        json,               -- what was asked of this task, by control dimension
    source          varchar not null,   -- completion, or import: with file or hub id
    instruction     varchar not null,   -- as the teacher wrote it
    input           varchar not null,   -- what it is asked of; empty where the task needs none
    output          varchar not null,   -- the answer to learn
    rehearsal       boolean not null    -- made with the embedded teacher or base model
);

-- The gates in the order in which they check a row; written from store/gate_order.py when a store is opened.
create table if not exists gates (
    gate            varchar not null,
    gate_order      utinyint not null,  -- from 0; the first gate that rejects a row gives the reason
    by_row          boolean not null    -- it checks each row by itself, not against other rows
);

-- What each gate said of each row, and why: a row per finding, at least one per gate that looked. Checked again only
-- where the gate's version or the row's text has changed; what was said before moves to superseded_verdicts.
create table if not exists verdicts (
    row_id          varchar not null,   -- of raw_instructions
    gate            varchar not null,   -- as in the table gates
    place           utinyint not null,  -- of the finding among those of its gate, from 0
    rule            varchar not null,   -- its id; sound | no_identifier | clean | novel where the gate found nothing
    version         varchar not null,   -- of the rule: a hash of what it is made of
    verdict         varchar not null,   -- keep | reject | repair | flag
    score           double,             -- the rule's measure, where it has one
    evidence        json not null,      -- what was seen
    gate_version    varchar not null,   -- of all rules of the gate together, and their data
    text_sha256     varchar not null,   -- first 16 hex digits, of the texts that were checked
    judged_at       timestamptz not null,
    rehearsal       boolean not null    -- of the row checked
);

-- [append-only] Verdicts that later ones replaced.
create table if not exists superseded_verdicts (
    row_id          varchar not null,
    gate            varchar not null,
    place           utinyint not null,
    rule            varchar not null,
    version         varchar not null,
    verdict         varchar not null,
    score           double,
    evidence        json not null,
    gate_version    varchar not null,
    text_sha256     varchar not null,
    judged_at       timestamptz not null,
    rehearsal       boolean not null,
    superseded_at   timestamptz not null
);

-- [append-only] What each version of a gate was made of: its rules, settings, data.
create table if not exists gate_versions (
    gate            varchar not null,
    version         varchar not null,
    made_of         json not null,
    first_used_at   timestamptz not null
);

-- Texts that a gate put right; the raw row keeps what the teacher wrote.
create table if not exists repairs (
    row_id          varchar not null,
    gate            varchar not null,   -- quality | privacy
    field           varchar not null,   -- instruction | input | output
    text            varchar not null    -- what takes its place
);

-- The index of novelty: a signature per kept row, by which the few rows are found that can be like a new one.
create table if not exists novelty_signatures (
    row_id          varchar not null,   -- of a kept row
    place           bigint not null,    -- canonical order: the row's ordinal
    measure         varchar not null,   -- rouge_score | unicode: how the text is tokenised
    tokens          uinteger not null,  -- number of tokens
    low             ubigint not null,   -- bits 0-63: one bit per token, by its hash
    high            ubigint not null    -- bits 64-127
);

-- Which version of the index the signatures are of; another version's are made anew.
create table if not exists novelty_index (
    measure         varchar not null,
    version         varchar not null
);

-- [append-only] A teacher's answers to questions that have no table of their own.
create table if not exists teacher_answers (
    answer_key      varchar not null,   -- sha256 of (teacher, model, template, the item's fields)
    answer          json,               -- null: asked about, and given no valid answer
    teacher         varchar not null,
    model           varchar not null,
    completion_id   varchar not null
);

-- [append-only] What a teacher said of a row's grounding and correctness, so that nothing is asked twice.
create table if not exists quality_checks (
    check_key       varchar not null,   -- sha256 of (teacher, model, template, instruction, input, output)
    grounded        boolean,            -- null: asked about, and given no valid answer
    correct         boolean,
    reason          varchar not null,
    teacher         varchar not null,
    model           varchar not null,
    completion_id   varchar not null
);

-- [append-only] Vectors of kept instructions, where the stage of meaning is switched on.
create table if not exists embeddings (
    text_sha256     varchar not null,   -- first 16 hex digits, of the instruction
    model           varchar not null,   -- fingerprint of the sentence-transformers folder
    vector          float[] not null    -- of unit length
);

create table if not exists deduplicated_instructions (
    row_id          varchar not null,   -- of raw_instructions
    ordinal         bigint not null,    -- canonical order, as in raw_instructions
    instruction     varchar not null,   -- what is asked
    input           varchar not null,   -- no-input markers normalised to ''
    output          varchar not null,   -- the answer to learn
    repaired        varchar[] not null, -- fields whose text a gate put right
    flags           varchar[] not null, -- what gates noted without rejecting, as gate: rule
    rehearsal       boolean not null    -- made with the embedded teacher or base model
);

-- [append-only] Labels a teacher gave, by instruction, so that none is asked for twice.
create table if not exists category_labels (
    label_key       varchar not null,   -- sha256 of (teacher, model, template, instruction)
    instruction     varchar not null,
    category        varchar,            -- null: asked about, and given no valid label
    teacher         varchar not null,
    model           varchar not null,
    completion_id   varchar not null,
    pass            integer not null    -- 1; 2 where a sample is labelled once more, to see whether it agrees
);

create table if not exists categorized_instructions (
    row_id              varchar not null,   -- of raw_instructions
    ordinal             bigint not null,    -- canonical order, as in raw_instructions
    instruction         varchar not null,   -- what is asked
    input               varchar not null,   -- what it is asked of; empty where the task needs none
    output              varchar not null,   -- the answer to learn
    category            varchar not null,   -- one of the four
    labelled_by         varchar not null,   -- teacher:<model> | embedded-classifier
    confidence          double,             -- the classifier's, calibrated; null for a teacher's label
    needs_review        boolean not null,   -- below the confidence asked for, or labelled otherwise the second time
    label_completion_id varchar,            -- the reply the label came in
    rehearsal           boolean not null    -- made with the embedded teacher or base model
);

create table if not exists hf_dataset (
    row_id              varchar not null,   -- of raw_instructions
    split               varchar not null,   -- train | validation | test, by hash of the instruction
    category            varchar not null,   -- one of the four
    rehearsal           boolean not null,   -- made with the embedded teacher or base model
    dataset_fingerprint varchar not null    -- sha256 over the rows of all splits
);

create table if not exists lora_adapter (
    base_model          varchar not null,    -- name in the experiment file
    recipe              varchar not null,    -- name in the experiment file
    adapter_sha256      varchar not null,    -- of adapter_model.safetensors
    adapter_path        varchar not null,    -- folder that PeftModel.from_pretrained opens
    base_fingerprint    varchar not null,    -- sha256 of the weights (rehearsal, local folder) or source@commit (hub)
    dataset_fingerprint varchar not null,    -- the data set it was trained on
    recipe_sha256       varchar not null,    -- of all its values
    prompt_version      varchar not null,    -- template of prompt and response
    train_rows          bigint not null,     -- rows of the train split used
    train_tokens        bigint not null,     -- tokens read over all epochs, padding not counted
    steps               bigint not null,     -- optimizer updates
    first_loss          double not null,     -- mean response-token loss of the first logged step
    last_loss           double not null,     -- the same of the last
    losses              double[] not null,   -- by logged step
    train_seconds       double not null,     -- without loading
    device              varchar not null,    -- cpu | cuda
    rehearsal           boolean not null,    -- made with the embedded teacher or base model
    trained_at          timestamptz not null
);

create table if not exists eval_scores (
    base_model          varchar not null,   -- name in the experiment file
    recipe              varchar not null,   -- name in the experiment file
    task                varchar not null,   -- held_out
    metric              varchar not null,   -- loss | rouge_l
    category            varchar not null,   -- all, or one category of the test split
    subject             varchar not null,   -- base | adapter | difference (adapter minus base, paired)
    score               double not null,    -- loss in nats per token, or F1
    ci_low              double not null,    -- 95 % percentile bootstrap over items
    ci_high             double not null,    -- its upper end
    n                   bigint not null,    -- items
    prompt_version      varchar not null,   -- template of prompt and response
    dataset_fingerprint varchar not null,   -- the data set whose test split was scored
    base_fingerprint    varchar not null,   -- sha256 of the weights (rehearsal, local folder) or source@commit (hub)
    adapter_sha256      varchar,            -- null for the base
    rehearsal           boolean not null,   -- made with the embedded teacher or base model
    scored_at           timestamptz not null
);

create table if not exists eval_predictions (
    base_model      varchar not null,
    recipe          varchar not null,
    task            varchar not null,
    subject         varchar not null,   -- base | adapter
    row_id          varchar not null,   -- the test row
    category        varchar not null,
    prediction      varchar not null,   -- greedy decoding
    rouge_l         double not null,    -- F1 of prediction against the row's output
    nll             double not null,    -- summed over the output's tokens, nats
    output_tokens   bigint not null,
    rehearsal       boolean not null    -- made with the embedded teacher or base model
);

-- Each raw row with the texts that the gates leave it. Where two gates put a field right, the earlier gate decides: an
-- input that only says that there is none is empty, whatever the privacy gate put right in it.
create or replace view repaired_instructions as
with put_right as (
    select
        row_id,
        arg_min(text, gate_order) filter (where field = 'instruction') as instruction,
        arg_min(text, gate_order) filter (where field = 'input') as input,
        arg_min(text, gate_order) filter (where field = 'output') as output,
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

-- The rows that no gate rejects which checks a row by itself: the novelty gate compares these.
create or replace view passing_instructions as
select *
from repaired_instructions
anti join (
    select row_id
    from verdicts
    join gates using (gate)
    where verdict = 'reject' and by_row
) as dropped using (row_id);

-- Raw rows that are not kept: each with the first gate that rejected it, in the order of the table gates.
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

-- Rows whose category a person should look at.
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

-- From seeds to data set: how many rows reached each step, and why the others did not.
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
    select 7, 'hf_dataset', split, count(*) from hf_dataset group by split
)
select step, stage, outcome, rows from steps order by step, rows desc, outcome;

-- Every raw row with its completion, what was asked of it, its share of the cost, and where it ended.
create or replace view lineage as
select
    raw.row_id,
    raw.source,
    raw.instruction,
    coalesce(rejected.gate || ': ' || rejected.reason, 'kept') as fate,
    labelled.category,
    labelled.labelled_by,
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
left join hf_dataset as placed using (row_id);

-- What this store's completions cost so far, open batches and requests without a reply at their most.
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
select 'reserved by batches', run_id, purpose, teacher = 'rehearsal', sum(requests)::bigint, sum(usd),
    sum(tokens)::bigint, count(*) filter (where usd is null)
from batches where state in ('submitting', 'open') group by all;
