-- Tables of the store; docs/store.md explains the keys. views.sql declares the views that are made from them.
-- Each asset has one table, with the asset's name. A table marked [append-only] keeps every row that was ever written,
-- such as completions that were paid for. Each other table holds the last materialization of its asset.
-- The UI shows the comment behind a column as the column's description.

create table if not exists store_version (
    version integer not null    -- SCHEMA_VERSION of store/database.py when the tables were made
);

create table if not exists seed_tasks (
    seed_id         varchar not null,   -- the field `id` of the file
    ordinal         integer not null,   -- position in the file, from 0
    category        varchar not null,   -- information_extraction | question_answering | generation | other
    source_family   varchar not null,   -- the published kind of task that this seed follows
    instruction     varchar not null,   -- the task
    input           varchar not null,   -- the text that the task is about; empty if the task needs none
    output          varchar not null    -- the answer to learn
);

-- [append-only] Every reply of a teacher, stored before it is parsed.
create table if not exists completions (
    completion_id       varchar not null,     -- sha256 of the canonical request; a request is paid for only once
    purpose             varchar not null,     -- generation | categorization | quality_check | probe | ...
    teacher             varchar not null,     -- rehearsal | openai
    endpoint            varchar,              -- address of the server, without credentials
    rehearsal           boolean not null,     -- the rehearsal server replied, whatever teacher was asked
    model_asked         varchar not null,     -- model that the request names
    model_answered      varchar,              -- model that the reply names
    parameters          json not null,        -- decoding parameters, token limit, response format
    messages            json not null,        -- the full prompt, system message included
    reply_format        varchar not null,     -- json_schema | json_object | text
    template_id         varchar not null,     -- name of the prompt template
    template_sha256     varchar not null,     -- sha256 of the prompt's fixed text and response format
    draw                integer not null,     -- 0; 1 if the request was sent once more for a second reply
    run_seed            bigint,               -- generation: this and request_number determine the seeds shown
    request_number      bigint,               -- number of the request in the run seed's series, from 0
    seed_ids            varchar[] not null,   -- seeds shown, in the order shown
    controls            json,                 -- requested values by task of the reply and control dimension
    controls_sha256     varchar,              -- sha256 of the controls file
    content             varchar not null,     -- the reply's text, as received; empty if the reply has no text
    reasoning           varchar,              -- the text of the model's reasoning, if the server sends it apart
    body                varchar,              -- the whole reply, if its form is not that of a completion
    refusal             varchar,              -- the teacher's refusal, if the reply states one
    finish_reason       varchar,              -- why the reply ended, in the server's word, such as stop or length
    request_id          varchar,              -- the header x-request-id of the reply
    system_fingerprint  varchar,              -- the server's name for its configuration, if the reply has one
    service             varchar not null,     -- online | flex | batch, as requested
    service_tier        varchar,              -- the service tier that the reply names and the server bills
    batch_id            varchar,              -- job of the Batch API
    prompt_tokens       bigint,               -- tokens of the prompt; null if not stated
    cached_tokens       bigint,               -- prompt tokens that are billed at the cached price
    completion_tokens   bigint,               -- tokens of the reply, with reasoning; null if not stated
    usd                 double,               -- null if the model's price is unknown
    run_id              varchar,              -- the Dagster run that paid for it
    requested_at        timestamptz not null, -- when the request was sent
    completed_at        timestamptz not null  -- when the reply was there
);

-- [append-only] Requests that were sent but never answered, because the run was killed or the connection broke. The
-- server may have billed them, so the budget counts the most that each of them can cost.
create table if not exists presumed_spend (
    reservation_id  varchar not null,   -- one for each time that the request was sent
    completion_id   varchar not null,   -- the request; if it was sent again, it may be in completions too
    run_id          varchar,            -- the Dagster run that sent it
    usd             double,             -- the most that it can cost; null if the model's price is unknown
    tokens          bigint not null,    -- the most that it can use
    rehearsal       boolean not null,   -- the embedded teacher was asked
    reserved_at     timestamptz not null  -- when the request was sent
);

-- [append-only] One row per round of requests: how many were sent, what they cost, and why the round stopped.
create table if not exists teacher_rounds (
    started_at          timestamptz not null,  -- when the round began
    finished_at         timestamptz not null,  -- when the round ended
    run_id              varchar,            -- the Dagster run
    purpose             varchar not null,   -- generation | categorization | quality_check
    teacher             varchar not null,   -- rehearsal | openai
    model               varchar not null,   -- model that the requests name
    service             varchar not null,   -- online | flex | batch
    reused              bigint not null,    -- completions that were in the store already
    asked               bigint not null,    -- completions that the teacher sent and the store received
    failed              bigint not null,    -- requests that failed; the next run sends them again
    rate_limited        bigint not null,    -- replies with status 429
    retried             bigint not null,    -- repeated sends, including those after status 429
    presumed            bigint not null,    -- requests without a reply; see presumed_spend
    usd                 double,             -- cost of the replies of this round; null if the price is unknown
    tokens              bigint not null,    -- tokens of the replies of this round
    stopped             varchar,            -- why the round stopped before its goal; null if it reached the goal
    rehearsal           boolean not null    -- the embedded teacher was asked; completions says who replied
);

-- [append-only] One row per request that a server refused in a round. The next round sends it again, and its refusal
-- does not count towards the end of that round.
create table if not exists teacher_refusals (
    completion_id       varchar not null,   -- the request; if a later round had a reply, it is in completions too
    purpose             varchar not null,   -- generation | categorization | quality_check
    teacher             varchar not null,   -- rehearsal | openai
    endpoint            varchar not null,   -- address of the server, without credentials
    model               varchar not null,   -- model that the request names
    run_id              varchar,            -- the Dagster run that sent it
    request_number      bigint,             -- place in its series; null if it belongs to none
    status              integer not null,   -- the HTTP status
    code                varchar,            -- the server's code of the error
    kind                varchar not null,   -- what the answer means, such as context or moderation; see teacher/refusals.py
    message             varchar not null,   -- the server's words
    refused_at          timestamptz not null  -- when the refusal came
);

-- [append-only] The form of request that a server accepts, as a probe found it. The last row of a server counts.
create table if not exists teacher_dialects (
    teacher             varchar not null,   -- rehearsal | openai
    endpoint            varchar not null,   -- address of the server, without credentials
    model               varchar not null,   -- model that the requests name
    api                 varchar not null,   -- chat | responses
    reply_format        varchar not null,   -- json_schema | json_object | text
    token_limit_name    varchar not null,   -- max_completion_tokens | max_tokens
    left_out            varchar[] not null, -- request parameters that the server refuses
    evidence            varchar not null,   -- each request of the probe and the server's reply, in short
    requests_per_minute bigint,             -- from the server's headers
    tokens_per_minute   bigint,             -- the limit that the server's headers name; null if they name none
    probed_at           timestamptz not null,  -- when the server was probed
    folds_system        boolean,            -- the server refuses system messages: each prompt is sent in one message
    output_limit        varchar,            -- heeded | ignored | unproven; null if an earlier version probed
    reasoning_effort    varchar             -- as the probe asked for it; null if it did not
);

-- Jobs of the Batch API. A row is written before its job is created, so a killed run leaves a trace.
create table if not exists batches (
    batch_key       varchar not null,    -- our key, which the job carries as metadata
    batch_id        varchar,             -- the server's id; null until the job is created
    state           varchar not null,    -- submitting | open | harvested | failed
    status          varchar,             -- the last status that the server gave
    purpose         varchar not null,    -- as in completions
    teacher         varchar not null,    -- rehearsal | openai
    endpoint        varchar not null,    -- address of the server, without credentials
    model           varchar not null,    -- model that the requests name
    requests        bigint not null,     -- number of requests in the batch
    answered        bigint not null,     -- number of replies that were stored
    usd             double,              -- reserved while the batch is open: the most that it can cost
    tokens          bigint not null,     -- reserved while the batch is open: the most that it can use
    prompt_tokens   bigint,              -- estimated tokens of the prompts: its part of the server's queue
    token_limit     bigint,              -- set if refused for its size: the limit that the server named, or 0
    run_id          varchar,             -- the Dagster run that submitted it
    resume          json not null,       -- run configuration of the run that stores its replies
    detail          varchar not null,    -- errors in short
    submitted_at    timestamptz not null,  -- when the batch was submitted
    finished_at     timestamptz          -- when the batch ended; null while it is open
);

-- [append-only] The complete requests of each batch. A run that stores the replies needs no other input.
create table if not exists batch_requests (
    batch_key       varchar not null,   -- the batch, as in batches
    completion_id   varchar not null,   -- the request, as in completions
    request         json not null       -- the whole request, as it was submitted
);

-- The result of parsing each reply behind the current raw_instructions; one row per completion.
create table if not exists completion_outcomes (
    completion_id   varchar not null,   -- the reply, as in completions
    outcome         varchar not null,   -- parsed | truncated | refused | empty | malformed | wrong_schema
    tasks           integer not null,   -- tasks that were parsed, including those salvaged from a broken reply
    dropped         integer not null,   -- tasks that could not be parsed
    detail          varchar not null    -- why the outcome is this one; empty if there is nothing to say
);

create table if not exists raw_instructions (
    row_id          varchar not null,   -- sha256 of (completion, position) or (import, texts, repeat); 24 hex digits
    ordinal         bigint not null,    -- canonical order: by request number and position, or import order
    completion_id   varchar,            -- null for imported rows
    position        integer not null,   -- place in the reply, or in the imported file, from 0
    controls        json,               -- the requested value of each control dimension; null without controls
    source          varchar not null,   -- completion, or import:NAME@HASH of a file, import:ID@SPLIT
    instruction     varchar not null,   -- the task, as the teacher wrote it
    input           varchar not null,   -- the text that the task is about; empty if the task needs none
    output          varchar not null,   -- the answer to learn
    rehearsal       boolean not null    -- the rehearsal teacher made the texts
);

-- The gates in the order in which they check a row. The store writes this table from store/gate_order.py.
create table if not exists gates (
    gate            varchar not null,   -- quality | privacy | contamination | novelty | category
    gate_order      utinyint not null,  -- from 0; the first gate that rejects a row gives its reason
    by_row          boolean not null    -- whether the gate checks each row by itself, without other rows
);

-- The findings of each gate on each row, at least one for each gate that has checked the row. A gate checks a row again
-- only if the gate's version or the row's text has changed. Its earlier verdicts move to superseded_verdicts.
create table if not exists verdicts (
    row_id          varchar not null,   -- of raw_instructions
    gate            varchar not null,   -- as in the table gates
    place           utinyint not null,  -- position of the finding among the findings of its gate, from 0
    rule            varchar not null,   -- id of the rule; without a finding: sound | no_identifier | clean | novel
    version         varchar not null,   -- of the rule: a hash of its code, data and settings
    verdict         varchar not null,   -- keep | reject | repair | flag
    score           double,             -- the rule's measure, if it has one
    evidence        json not null,      -- the text or value that led to the verdict
    gate_version    varchar not null,   -- of the gate: a hash of all its rules, data and settings
    text_sha256     varchar not null,   -- first 16 hex digits, over the texts that the gate checked
    judged_at       timestamptz not null,  -- when the gate checked the row
    rehearsal       boolean not null    -- of the row: made with the embedded teacher or base model
);

-- [append-only] Verdicts that later verdicts have replaced.
create table if not exists superseded_verdicts (
    row_id          varchar not null,       -- as in raw_instructions
    gate            varchar not null,       -- as in verdicts
    place           utinyint not null,      -- as in verdicts
    rule            varchar not null,       -- as in verdicts
    version         varchar not null,       -- as in verdicts
    verdict         varchar not null,       -- as in verdicts
    score           double,                 -- as in verdicts
    evidence        json not null,          -- as in verdicts
    gate_version    varchar not null,       -- as in verdicts
    text_sha256     varchar not null,       -- as in verdicts
    judged_at       timestamptz not null,   -- when the gate checked the row
    rehearsal       boolean not null,       -- of the row: made with the embedded teacher or base model
    superseded_at   timestamptz not null    -- when another verdict replaced this one
);

-- [append-only] The contents of each version of a gate: its rules, settings and data.
create table if not exists gate_versions (
    gate            varchar not null,      -- name of the gate
    version         varchar not null,      -- hash of the gate's code, settings and data
    made_of         json not null,         -- the settings and data of the version, by name
    first_used_at   timestamptz not null   -- when the version first checked a row
);

-- Texts that a gate repaired. The table raw_instructions keeps the teacher's text.
create table if not exists repairs (
    row_id          varchar not null,   -- as in raw_instructions
    gate            varchar not null,   -- quality | privacy
    field           varchar not null,   -- instruction | input | output
    text            varchar not null    -- the repaired text
);

-- The novelty index: one signature per kept row. It finds the few kept rows that can be similar to a new row.
create table if not exists novelty_signatures (
    row_id          varchar not null,   -- of a row in deduplicated_instructions
    place           bigint not null,    -- canonical order: the row's ordinal
    measure         varchar not null,   -- rouge_score | unicode: the way the text is tokenised
    tokens          uinteger not null,  -- number of tokens
    low             ubigint not null,   -- bits 0-63: one bit per token, by its hash
    high            ubigint not null    -- bits 64-127
);

-- The version of the signatures in novelty_signatures. Signatures of another version are computed again.
create table if not exists novelty_index (
    measure         varchar not null,   -- the measure of similarity, as in novelty_signatures
    version         varchar not null    -- hash of the code that makes its signatures
);

-- [append-only] A teacher's answers to questions about rows, for questions without their own table.
create table if not exists teacher_answers (
    answer_key      varchar not null,   -- sha256 of (teacher, model, template, the item's fields)
    answer          json,               -- null: the teacher was asked but gave no valid answer
    teacher         varchar not null,   -- rehearsal | openai
    model           varchar not null,   -- the model that was asked
    completion_id   varchar not null    -- the reply, as in completions
);

-- [append-only] A teacher's checks of the grounding and correctness of rows. No row is asked about twice.
create table if not exists quality_checks (
    check_key       varchar not null,   -- sha256 of (teacher, model, template, instruction, input, output)
    grounded        boolean,            -- null: the teacher was asked but gave no valid answer
    correct         boolean,            -- whether the output is right; null: the teacher gave no valid answer
    reason          varchar not null,   -- the teacher's reason, in its own words
    teacher         varchar not null,   -- rehearsal | openai
    model           varchar not null,   -- the model that was asked
    completion_id   varchar not null    -- the reply, as in completions
);

-- [append-only] Vectors of kept instructions. Written only if BIOINSTRUCT_MEANING_MODEL is set.
create table if not exists embeddings (
    text_sha256     varchar not null,   -- first 16 hex digits, over the instruction
    model           varchar not null,   -- fingerprint of the sentence-transformers folder
    vector          float[] not null    -- a vector of length 1
);

create table if not exists deduplicated_instructions (
    row_id          varchar not null,   -- of raw_instructions
    ordinal         bigint not null,    -- canonical order, as in raw_instructions
    instruction     varchar not null,   -- the task
    input           varchar not null,   -- the text that the task is about; empty if the task needs none
    output          varchar not null,   -- the answer to learn
    repaired        varchar[] not null, -- fields whose text a gate repaired
    flags           varchar[] not null, -- findings that did not reject the row, each as gate: rule
    rehearsal       boolean not null    -- the rehearsal teacher made the texts
);

-- [append-only] Category labels of a teacher, by instruction. No instruction is labelled twice in one pass.
create table if not exists category_labels (
    label_key       varchar not null,   -- sha256 of (teacher, model, template, instruction)
    instruction     varchar not null,   -- the instruction that was labelled
    category        varchar,            -- null: the teacher was asked but gave no valid label
    teacher         varchar not null,   -- rehearsal | openai
    model           varchar not null,   -- the model that was asked
    completion_id   varchar not null,   -- the reply, as in completions
    pass            integer not null    -- 1; 2 for a sample that is labelled again to measure agreement
);

create table if not exists categorized_instructions (
    row_id              varchar not null,   -- of raw_instructions
    ordinal             bigint not null,    -- canonical order, as in raw_instructions
    instruction         varchar not null,   -- the task
    input               varchar not null,   -- the text that the task is about; empty if the task needs none
    output              varchar not null,   -- the answer to learn
    category            varchar not null,   -- information_extraction | question_answering | generation | other
    labelled_by         varchar not null,   -- teacher:<model> | embedded-classifier
    confidence          double,             -- calibrated confidence of the classifier; null for a teacher's label
    needs_review        boolean not null,   -- low confidence, or the teacher's two labels differ
    label_completion_id varchar,            -- completion that holds the label; null for the classifier's label
    rehearsal           boolean not null    -- the rehearsal teacher made the texts; labelled_by names the label's source
);

-- The rows that the review page asks about.
create table if not exists review_sample (
    item_id         varchar not null,   -- the row with its texts, as page and files name it
    row_id          varchar not null,   -- of raw_instructions
    place           integer not null,   -- order on the page, from 0: random, so that a part of it is a sample too
    stratum         varchar not null,   -- as in review_strata
    gate            varchar,            -- first gate that rejected the row; null if it is kept
    rule            varchar,            -- rule of that gate
    category        varchar,            -- of a kept row, by the machine; null if it is rejected
    weight          double not null,    -- rows of the stratum for each sampled row: inverse sampling probability
    judged_by       varchar[] not null, -- reviewers whose files hold a judgement of this item
    rehearsal       boolean not null    -- the rehearsal teacher made the texts
);

-- The strata of the last sample. A stratum is a simple random sample of its rows.
create table if not exists review_strata (
    stratum         varchar not null,   -- such as "kept, generation" or "rejected by quality"
    kind            varchar not null,   -- kept | uncertain | rejected
    gate            varchar,            -- that rejected the rows; null if they are kept
    category        varchar,            -- of kept rows, by the machine; null if they are rejected
    population      bigint not null,    -- rows of the stratum
    sampled         bigint not null     -- rows of its sample
);

-- Every judgement in the filled-in files. The later one counts if a reviewer judged an item twice.
create table if not exists review_judgements (
    item_id         varchar not null,   -- the row with its texts
    row_id          varchar not null,   -- of raw_instructions
    reviewer        varchar not null,   -- name or initials, as the reviewer gave them
    decision        varchar not null,   -- accept | reject | unsure
    category        varchar,            -- that the reviewer named; null if none
    reason          varchar,            -- why the row is rejected; null if it is not
    comment         varchar not null,   -- the reviewer's words; may be empty
    judged_at       timestamptz,        -- null if the file does not say
    changed_after_verdict boolean not null,  -- changed after the page had shown what the gates decided
    state           varchar not null,   -- current | outdated (the texts changed) | gone (no such row)
    place           varchar not null    -- file and line
);

-- What the reviewers say about each judged row, and what follows for the data set.
create table if not exists review_results (
    row_id          varchar not null,   -- of raw_instructions
    item_id         varchar not null,   -- the row with its present texts
    stratum         varchar,            -- of the last sample; null if the row is not in it and counts in no estimate
    gate            varchar,            -- first gate that rejected the row; null if it is kept
    decision        varchar not null,   -- accept | reject | unsure | disputed
    reason          varchar,            -- of most reviewers who reject the row
    category        varchar,            -- by most reviewers; it replaces that of the machine
    category_before varchar,            -- by the machine; null if a gate rejected the row
    labelled_by     varchar,            -- human:<reviewers of this category>
    reviewers       varchar[] not null, -- all who judged the row
    excluded        boolean not null,   -- the row leaves the data set: kept, but rejected by reviewers or disputed
    wrongly_rejected boolean not null,  -- reviewers accept the row although a gate rejected it; it stays out
    needs_adjudication boolean not null, -- reviewers contradict each other and no majority decides
    rehearsal       boolean not null    -- the rehearsal teacher made the texts
);

-- What the judgements say about the set, its filters and its reviewers.
create table if not exists review_measures (
    figure          varchar not null,   -- defect_rate | filter_precision | category_accuracy | kappa_decision | kappa_category
    subject         varchar not null,   -- rows, filter or pair of reviewers that the figure is about
    value           double not null,    -- a share from 0 to 1, weighted by stratum, or kappa
    ci_low          double,             -- lower end of the 95 % interval; null if there is none
    ci_high         double,             -- upper end of the interval
    judged          bigint not null,    -- judged rows that it rests on
    population      bigint not null,    -- rows that these stand for
    not_covered     bigint not null,    -- rows of strata in which nothing was judged
    note            varchar not null    -- what a reader must know beside it; may be empty
);

create table if not exists hf_dataset (
    row_id              varchar not null,   -- of raw_instructions
    split               varchar not null,   -- train | validation | test; see dataset_split_rule
    category            varchar not null,   -- information_extraction | question_answering | generation | other
    rehearsal           boolean not null,   -- the rehearsal teacher made the texts
    dataset_fingerprint varchar not null    -- sha256 over the rows of all splits
);

-- The rule that decides the split of a row, by a hash of its texts. It stays as long as a row of the data set does.
create table if not exists dataset_split_rule (
    split_by            varchar not null    -- instruction | instruction_and_input
);

-- The rows behind each figure of the data set.
create table if not exists dataset_figures (
    figure              varchar not null,   -- name of its files in the folder reports, such as dataset_verbs
    part                varchar not null,   -- root verb, field of a text, run, or the set
    label               varchar not null,   -- object, category, range of values, or raw | kept
    rows                bigint not null,    -- number of rows
    rehearsal           boolean not null,   -- the set holds rows that the rehearsal teacher made
    dataset_fingerprint varchar not null    -- as in hf_dataset
);

create table if not exists lora_adapter (
    base_model          varchar not null,    -- name in the experiment file
    recipe              varchar not null,    -- name in the experiment file
    adapter_sha256      varchar not null,    -- sha256 of adapter_model.safetensors
    adapter_path        varchar not null,    -- folder that PeftModel.from_pretrained opens, in the data folder
    base_fingerprint    varchar not null,    -- sha256 of the weights (rehearsal, local folder) or source@commit (hub)
    dataset_fingerprint varchar not null,    -- of the data set that it was trained on
    recipe_sha256       varchar not null,    -- sha256 of all values of the recipe
    prompt_version      varchar not null,    -- version of the prompt template
    train_rows          bigint not null,     -- rows of the train split that were used
    rows_left_out       bigint not null,     -- rows of the recipe without an example, by the table rows_left_out
    rows_shortened      bigint not null,     -- rows whose input was shortened in the middle
    train_tokens        bigint not null,     -- tokens over all epochs, without padding
    steps               bigint not null,     -- optimizer updates
    first_loss          double not null,     -- mean response-token loss of the first logged step
    last_loss           double not null,     -- mean response-token loss of the last logged step
    losses              double[] not null,   -- loss of each logged step
    validation_losses   struct(update_number bigint, loss double)[] not null, -- after which update
    kept_update         bigint not null,     -- the update whose weights were kept
    proof               json not null,       -- how the adapter was proven to act (models.adapter_proof)
    run_facts           json not null,       -- throughput, padding, memory and its estimate, threads, libraries
    train_seconds       double not null,     -- seconds of training, without loading the model
    device              varchar not null,    -- cpu | cuda
    rehearsal           boolean not null,    -- made with the embedded teacher or base model
    trained_at          timestamptz not null                                  -- when training ended
);

create table if not exists rows_left_out (
    base_model          varchar not null,    -- name in the experiment file
    recipe              varchar not null,    -- name in the experiment file
    row_id              varchar not null,    -- as in raw_instructions
    tokens              bigint not null,     -- of prompt and response, with the end-of-sequence token
    tokens_lost         bigint not null,     -- tokens that training did not see
    action              varchar not null,    -- left_out | input_shortened | no_output
    rehearsal           boolean not null     -- made with the embedded teacher or base model
);

create table if not exists eval_scores (
    base_model          varchar not null,   -- name in the experiment file
    recipe              varchar not null,   -- name in the experiment file
    task                varchar not null,   -- name in the catalogue of evaluation tasks; held_out: the set's own test split
    task_version        varchar not null,   -- hash of the task's version, prompt and scoring
    metric              varchar not null,   -- what was computed, such as accuracy or rouge_l
    category            varchar not null,   -- of the task; for held_out: all, or one category of the test split
    subject             varchar not null,   -- base | adapter | difference (adapter minus base, paired by item)
    items               varchar not null,   -- all | without_contaminated: without items that the training rows repeat
    score               double not null,    -- in the metric's unit; a share or an F1 is between 0 and 1
    ci_low              double,             -- lower end of the 95 % confidence interval; null if the items allow none
    ci_high             double,             -- upper end of the interval
    method              varchar not null,   -- of the interval, such as wilson or bootstrap
    n                   bigint not null,    -- number of items
    clusters            bigint not null,    -- number of groups of items that share a passage, note or trial
    p_value             double,             -- of no difference, without correction; null but for differences
    p_holm              double,             -- p_value corrected over the tasks by Holm's method
    test                varchar,            -- that p_value comes from, such as McNemar's; null but for differences
    detectable          double,             -- the difference that n items show with a power of 80 %; for differences
    main                boolean not null,   -- whether this is the task's main metric
    prompt_version      varchar not null,   -- version of the prompt template
    dataset_fingerprint varchar not null,   -- of the data set that the adapter was trained on
    items_fingerprint   varchar not null,   -- sha256 over the content of the task's items
    items_source        varchar not null,   -- files | hub | fixture | own
    base_fingerprint    varchar not null,   -- sha256 of the weights (rehearsal, local folder) or source@commit (hub)
    adapter_sha256      varchar,            -- sha256 of adapter_model.safetensors; null for the base model
    scored_from         varchar not null,   -- sha256 of the item results, and of the code, that the task's scores rest on
    rehearsal           boolean not null,   -- fixture items, or made with the embedded teacher or base model
    scored_at           timestamptz not null  -- when the score was computed
);

create table if not exists eval_predictions (
    base_model      varchar not null,       -- name in the experiment file
    recipe          varchar not null,       -- name in the experiment file
    task            varchar not null,       -- name in the catalogue of evaluation tasks; held_out: the own test split
    subject         varchar not null,       -- base | adapter
    item_id         varchar not null,       -- of the item within its task; for held_out the row_id
    prediction      varchar not null,       -- the answer that the model wrote, decoded greedily
    chosen          varchar,                -- the likeliest option; null if the item has no options
    metric          varchar not null,       -- the task's main metric
    value           double,                 -- of the main metric for this item; null if the item was not measured
    metrics         json not null,          -- the value of each metric that has one value for an item
    ended           boolean not null,       -- whether the model ended its answer itself
    tokens_lost     bigint not null,        -- tokens of the passage that were cut so that the prompt fits
    contaminated    boolean not null,       -- whether a row that the adapter was trained on repeats the item
    answer_key      varchar,                -- key of the answer in eval_items; null if none was asked for
    rehearsal       boolean not null        -- fixture items, or made with the embedded teacher or base model
);

-- What an F1 score over several classes rests on: the counts of each class.
create table if not exists eval_class_counts (
    base_model      varchar not null,       -- name in the experiment file
    recipe          varchar not null,       -- name in the experiment file
    task            varchar not null,       -- name in the catalogue of evaluation tasks
    metric          varchar not null,       -- the F1 score, such as macro_f1
    subject         varchar not null,       -- base | adapter
    class           varchar not null,       -- of the task's options or spans
    true_positives  double not null,        -- over all items; a fraction where an item is asked in several orders
    false_positives double not null,        -- likewise
    false_negatives double not null,        -- likewise
    rehearsal       boolean not null        -- fixture items, or made with the embedded teacher or base model
);

-- Scores over the experiments that differ only in their seed, as far as they have been scored on the same items.
create table if not exists eval_scores_over_seeds (
    base_model          varchar not null,   -- name in the experiment file
    recipe              varchar not null,   -- the recipe's name without its seed
    task                varchar not null,   -- name in the catalogue of evaluation tasks, or held_out
    task_version        varchar not null,   -- hash of the task's version, prompt and scoring
    metric              varchar not null,   -- name of the metric, as in eval_scores
    category            varchar not null,   -- of the task; for held_out: all
    subject             varchar not null,   -- adapter | difference (adapter minus base, paired by item)
    recipes             varchar[] not null, -- the experiments, one for each seed
    score               double not null,    -- the mean over seeds
    spread              double not null,    -- the standard deviation of the seeds' scores
    ci_low              double,             -- of an interval that counts both items and seeds
    ci_high             double,             -- the upper end of the interval
    method              varchar not null,   -- of the interval
    seeds               bigint not null,    -- number of seeds
    n                   bigint not null,    -- number of items
    items_fingerprint   varchar not null,   -- sha256 over the content of the task's items
    dataset_fingerprint varchar not null,   -- of the data set that the adapters were trained on
    scored_from         varchar not null,   -- sha256 of what the adapters' own scores rest on
    rehearsal           boolean not null,   -- fixture items, or made with the embedded teacher or base model
    scored_at           timestamptz not null  -- when the score was computed
);

-- [append-only] The results of single items, by a hash of all that determines them: a model is asked nothing twice.
create table if not exists eval_items (
    key             varchar not null,       -- sha256 of base model, adapter, prompt, task, item, measure and engine
    task            varchar not null,       -- name in the catalogue of evaluation tasks
    item_id         varchar not null,       -- of the item within its task
    subject         varchar not null,       -- base, or the hash of an adapter's weights and config
    measure         varchar not null,       -- options | prior | answer | reference
    "order"         integer not null,       -- number of the order of options, from 0
    permutation     integer[] not null,     -- the place among the item's own options of each option in the order shown
    log_likelihoods double[] not null,      -- nats; one for each of the item's own options, or one of the reference
    option_tokens   integer[] not null,     -- number of tokens of each
    answer          varchar not null,       -- what the model wrote; empty for other measures
    answer_tokens   bigint not null,        -- number of tokens of the answer
    ended           boolean not null,       -- whether the model ended its answer itself
    tokens_lost     bigint not null,        -- tokens of the passage that were cut so that the prompt fits
    asked           boolean not null,       -- false: the question alone is longer than the model's context
    precision       varchar not null,       -- of the weights and of the device, such as float32 on cpu
    made_at         timestamptz not null    -- when the model was asked
);

-- [append-only] Which items the rows of a training set repeat, by the rules of the contamination gate.
create table if not exists eval_contamination (
    scan_key        varchar not null,       -- sha256 of the training rows, the items and the gate's version
    task            varchar not null,       -- name in the catalogue of evaluation tasks
    items           bigint not null,        -- number of the task's items
    rows            bigint not null,        -- number of training rows that they were compared with
    hits            struct(item_id varchar, row_id varchar, rule varchar)[] not null, -- the strongest rule of each pair
    scanned_at      timestamptz not null    -- when the items were compared with the training rows
);

-- [append-only] A judge's counts of facts in an answer, by rubric and texts. No answer is graded twice by a judge.
create table if not exists judge_grades (
    grade_key       varchar not null,   -- sha256 of (teacher, model, rubric, source, reference, answer)
    rubric          varchar not null,   -- name and version of the rubric, and a hash of its text
    source_hash     varchar not null,   -- first 16 hex digits of the sha256, over the text
    reference_hash  varchar not null,   -- of the reference, in the same form
    answer_hash     varchar not null,   -- of the answer, in the same form
    repeat          integer not null,   -- 0: the grade that counts; else asked again to measure consistency
    covered         bigint,             -- facts of the reference that the answer states; null: no valid grade
    distorted       bigint,             -- facts of the reference that the answer states wrongly
    omitted         bigint,             -- facts of the reference that the answer does not state
    supported       bigint,             -- facts of the answer that source or reference supports
    contradicted    bigint,             -- facts of the answer that source or reference contradicts
    invented        bigint,             -- facts of the answer that occur in neither
    reason          varchar not null,   -- the judge's reason, in its own words
    teacher         varchar not null,   -- rehearsal | openai: how the judge was asked
    model           varchar not null,   -- the judge
    completion_id   varchar not null    -- the reply, as in completions
);

-- [append-only] A judge's choice between two answers, in one of the two orders.
create table if not exists judge_pairs (
    pair_key        varchar not null,   -- sha256 of (teacher, model, question, source, reference, first, second)
    rubric          varchar not null,   -- as in judge_grades
    source_hash     varchar not null,   -- first 16 hex digits of the sha256, over the text
    reference_hash  varchar not null,   -- of the reference, in the same form
    first_hash      varchar not null,   -- of the answer that was shown first, in the same form
    second_hash     varchar not null,   -- of the answer that was shown second, in the same form
    preferred       varchar,            -- first | second | neither; null: no valid choice
    reason          varchar not null,   -- the judge's reason, in its own words
    teacher         varchar not null,   -- rehearsal | openai: how the judge was asked
    model           varchar not null,   -- the judge
    completion_id   varchar not null    -- the reply, as in completions
);

-- [append-only] What a judge is worth on human scores: one row per figure of a measurement. The last measurement of a
-- judge and rubric counts.
create table if not exists judge_measures (
    teacher             varchar not null,   -- rehearsal | openai: how the judge was asked
    judge_model         varchar not null,   -- the judge
    rubric              varchar not null,   -- as in judge_grades
    scores_fingerprint  varchar not null,   -- sha256 over the human scores and their texts
    figure              varchar not null,   -- spearman | partial | within | auroc | difference | position_bias | ...
    subject             varchar not null,   -- judge, or the score without a judge that it is compared with
    value               double not null,    -- the figure's value
    ci_low              double,             -- lower end of the 95 % interval; null if the figure has none
    ci_high             double,             -- upper end of the interval
    n                   bigint not null,    -- number of answers, pairs or requests
    clusters            bigint not null,    -- number of sources, such as dialogues
    rehearsal           boolean not null,   -- made with the embedded stand-in judge
    measured_at         timestamptz not null  -- when the judge was measured
);

-- Scores by a judge. The columns are those of eval_scores, and what the judge is.
create table if not exists judge_scores (
    base_model          varchar not null,   -- name in the experiment file
    recipe              varchar not null,   -- name in the experiment file
    task                varchar not null,   -- name in the catalogue of evaluation tasks
    task_version        varchar not null,   -- as in eval_scores
    metric              varchar not null,   -- judge_factual_f1 | judge_win_rate | ...
    category            varchar not null,   -- of the task
    subject             varchar not null,   -- base | adapter | difference (adapter minus base, paired by item)
    items               varchar not null,   -- all | without_contaminated: of the items drawn for the judge
    estimate            varchar not null,   -- judge: its mean; corrected: its mean, corrected by human scores
    score               double not null,    -- a share from 0 to 1, or a difference of two shares
    ci_low              double,             -- lower end of the 95 % interval; null if the items allow none
    ci_high             double,             -- upper end of the interval
    method              varchar not null,   -- of the interval
    n                   bigint not null,    -- number of items with a valid grade or choice
    clusters            bigint not null,    -- number of groups of items that share a passage, note or trial
    drawn               bigint not null,    -- number of items that were drawn for the judge
    unreadable          bigint not null,    -- items whose reply held no valid grade or choice; they are in no mean
    not_asked           bigint not null,    -- items that a cap left without a grade; they are in no mean
    human               bigint not null,    -- items with a human score, for the corrected mean; 0 for the others
    p_value             double,             -- of no difference, without correction; null but for differences
    test                varchar,            -- that p_value comes from
    p_holm              double,             -- p_value corrected over the tasks by Holm's method
    detectable          double,             -- the difference that n items show with a power of 80 %; for differences
    judge_model         varchar not null,   -- the judge
    rubric              varchar not null,   -- as in judge_grades
    judge_state         varchar not null,   -- proven | not_better | not_measured | rehearsal
    judge_note          varchar not null,   -- what judge_state rests on, and whether the judge is of the model's family
    same_family         boolean,            -- whether judge and base model are of one family; null if a name tells none
    prompt_version      varchar not null,   -- version of the prompt template
    dataset_fingerprint varchar not null,   -- of the data set that the adapter was trained on
    items_fingerprint   varchar not null,   -- sha256 over the content of the task's items
    items_source        varchar not null,   -- files | hub | fixture | own
    base_fingerprint    varchar not null,   -- sha256 of the weights (rehearsal, local folder) or source@commit (hub)
    adapter_sha256      varchar,            -- sha256 of adapter_model.safetensors; null for the base model
    rehearsal           boolean not null,   -- fixture items, or a rehearsal's judge, teacher or base model
    scored_at           timestamptz not null  -- when the score was computed
);

-- Findings: what the scores of many experiments say together. Each table holds the last materialization.

create table if not exists leaderboard (
    base_model          varchar not null,   -- name in the experiment file
    recipe              varchar not null,   -- name in the experiment file
    task                varchar not null,   -- an evaluation task, held_out, or average: over the tasks of the category
    category            varchar not null,   -- of the task; for held_out: all
    metric              varchar not null,   -- the task's main metric; of an average: main_metrics
    score               double not null,    -- of the adapter, in the metric's unit
    ci_low              double,             -- lower end of its 95 % interval; null if the items allow none
    ci_high             double,             -- upper end of the interval
    base_score          double,             -- of the base model on the same items
    base_low            double,             -- lower end of its interval
    base_high           double,             -- upper end of its interval
    difference          double,             -- adapter minus base, paired by item
    difference_low      double,             -- lower end of its interval
    difference_high     double,             -- upper end of its interval
    relative_gain       double,             -- difference divided by the base model's score; 0.1 is 10 %
    relative_low        double,             -- lower end of its interval; null if the base model's score may be 0
    relative_high       double,             -- upper end of its interval
    p_holm              double,             -- of no difference, corrected over the experiment's tasks; null for averages
    detectable          double,             -- the difference to base that the items show with a power of 80 %
    lower_is_better     boolean not null,   -- as of a loss
    place_best          bigint not null,    -- 1 + the adapters that are significantly better on these items
    place_last          bigint not null,    -- the adapters on these items without those that are significantly worse
    compared            bigint not null,    -- number of adapters that are scored on these items
    tied_with_best      boolean not null,   -- no adapter is significantly better
    compared_by         varchar not null,   -- paired by item, or from the intervals alone
    n                   bigint not null,    -- number of items
    clusters            bigint not null,    -- number of groups of items that share a passage, note or trial
    task_version        varchar not null,   -- hash of the task's version, prompt and scoring
    items_fingerprint   varchar not null,   -- sha256 over the content of the items
    items_source        varchar not null,   -- files | hub | fixture | own
    items_trained_on    bigint not null,    -- items that rows which the adapter was trained on repeat
    train_rows          bigint,             -- rows that the adapter was trained on; null if it was trained again since
    prompt_version      varchar not null,   -- version of the prompt template
    dataset_fingerprint varchar not null,   -- of the data set that the adapter was trained on
    adapter_sha256      varchar,            -- of the adapter's weights
    older               varchar,            -- why it was no result on the data set of the time; null if it was one
    quoted_gain         double,             -- the relative gain that a paper states for the category: a quotation
    quoted_from         varchar,            -- its source, and what was measured there
    rehearsal           boolean not null,   -- fixture items, or made with the embedded teacher or base model
    made_at             timestamptz not null  -- when the table was made
);

create table if not exists category_ablation (
    base_model          varchar not null,   -- name in the experiment file
    variant             varchar not null,   -- hash of the values of training, without categories, rows and seed
    hyperparameters     varchar not null,   -- name of the set of hyper-parameters; empty for none
    trained_on          varchar not null,   -- the categories of the training rows, with + between them
    categories          varchar[] not null, -- the same as a list
    recipes             varchar[] not null, -- the experiments, one for each seed
    seeds               bigint not null,    -- number of seeds
    train_rows          double,             -- rows that were trained on, mean over seeds
    measured_on         varchar not null,   -- tasks: evaluation tasks | held_out: the data set's test split
    task                varchar not null,   -- average: over the tasks of the category; or a single task; or held_out
    category            varchar not null,   -- of the tasks; for held_out: of its rows, or all
    metric              varchar not null,   -- the main metric; of an average: main_metrics
    trained_on_it       boolean not null,   -- whether the evaluation category is among the training categories
    base_score          double,             -- of the base model on the same items
    base_low            double,             -- lower end of its interval
    base_high           double,             -- upper end of its interval
    score               double not null,    -- of the adapters, mean over seeds
    ci_low              double,             -- lower end of its 95 % interval, for other items and other seeds
    ci_high             double,             -- upper end of the interval
    spread              double,             -- standard deviation over seeds; null for one seed
    difference          double,             -- adapter minus base, paired by item, mean over seeds
    difference_low      double,             -- lower end of its interval, for other items and other seeds
    difference_high     double,             -- upper end of its interval
    relative_gain       double,             -- difference divided by the base model's score, mean over seeds
    relative_low        double,             -- lower end of its interval; null if the base model's score may be 0
    relative_high       double,             -- upper end of its interval
    detectable          double,             -- the difference that items and seeds show with a power of 80 %
    lower_is_better     boolean not null,   -- as of a loss
    tied_with_best      boolean,            -- no training set is significantly better; null without another one
    compared            bigint not null,    -- number of training sets that are scored on these items
    compared_by         varchar not null,   -- paired by item, or from the intervals alone
    n                   bigint not null,    -- number of items
    items_source        varchar not null,   -- files | hub | fixture | own
    items_fingerprint   varchar not null,   -- sha256 over the content of the items
    prompt_version      varchar not null,   -- version of the prompt template
    dataset_fingerprint varchar not null,   -- of the data set that the adapters were trained on
    older               varchar,            -- why it was no result on the data set of the time; null if it was one
    rehearsal           boolean not null,   -- fixture items, or made with the embedded teacher or base model
    made_at             timestamptz not null  -- when the table was made
);

create table if not exists data_scaling (
    base_model          varchar not null,   -- name in the experiment file
    variant             varchar not null,   -- hash of the values of training, without categories, rows and seed
    hyperparameters     varchar not null,   -- name of the set of hyper-parameters; empty for none
    trained_on          varchar not null,   -- the categories of the training rows, with + between them
    categories          varchar[] not null, -- the same as a list
    rows_asked          bigint,             -- the size that the recipe asks for; null for all rows
    train_rows          double,             -- rows that were trained on, mean over seeds
    recipes             varchar[] not null, -- the experiments, one for each seed
    seeds               bigint not null,    -- number of seeds
    seed_scores         double[] not null,  -- the score of each seed
    measured_on         varchar not null,   -- tasks: evaluation tasks | held_out: the data set's test split
    task                varchar not null,   -- average: over the tasks of the category; or a single task; or held_out
    category            varchar not null,   -- of the tasks; for held_out: all
    metric              varchar not null,   -- the main metric; of an average: main_metrics
    base_score          double,             -- of the base model on the same items
    base_low            double,             -- lower end of its interval
    base_high           double,             -- upper end of its interval
    score               double not null,    -- of the adapters, mean over seeds
    ci_low              double,             -- lower end of its 95 % interval, for other items and other seeds
    ci_high             double,             -- upper end of the interval
    spread              double,             -- standard deviation over seeds; null for one seed
    difference          double,             -- adapter minus base, paired by item, mean over seeds
    difference_low      double,             -- lower end of its interval, for other items and other seeds
    difference_high     double,             -- upper end of its interval
    relative_gain       double,             -- difference divided by the base model's score, mean over seeds
    relative_low        double,             -- lower end of its interval; null if the base model's score may be 0
    relative_high       double,             -- upper end of its interval
    detectable          double,             -- the difference that items and seeds show with a power of 80 %
    lower_is_better     boolean not null,   -- as of a loss
    n                   bigint not null,    -- number of items
    items_source        varchar not null,   -- files | hub | fixture | own
    items_fingerprint   varchar not null,   -- sha256 over the content of the items
    prompt_version      varchar not null,   -- version of the prompt template
    dataset_fingerprint varchar not null,   -- of the data set that the adapters were trained on
    older               varchar,            -- why it was no result on the data set of the time; null if it was one
    quoted_gain         double,             -- the relative gain that a paper states for the category: a quotation
    quoted_from         varchar,            -- its source, and what was measured there
    rehearsal           boolean not null,   -- fixture items, or made with the embedded teacher or base model
    made_at             timestamptz not null  -- when the table was made
);

-- Whether the last refresh that was tested made the data set better: adapters trained on equally many tokens with and
-- without its rows. One row for each kind of held-out rows; the verdict is that on rows from before the refresh.
create table if not exists data_worth (
    base_model          varchar not null,   -- name in the experiment file
    recipe              varchar not null,   -- name in the experiment file; trained without validation, under each seed
    refresh             varchar not null,   -- whose rows were tested, in words
    refreshed_at        timestamptz not null, -- when the refresh's first reply was there
    rows_before         bigint not null,    -- rows of the data set that were there before the refresh
    rows_added          bigint not null,    -- rows that the refresh added
    train_rows_without  double not null,    -- rows that an adapter without the refresh learned from, mean over seeds
    train_rows_with     double not null,    -- rows that an adapter with it learned from
    train_rows_added    double not null,    -- how many of them are of the refresh
    train_tokens_without double not null,   -- tokens over all epochs, mean over seeds
    train_tokens_with   double not null,    -- likewise
    items               varchar not null,   -- before | added: the held-out rows, by whether the refresh added them
    verdict             varchar,            -- better | tied | worse; null for items = added, as are the next six
    reason              varchar,            -- held-out loss | fit of outputs, or both: what the verdict rests on
    fit_before          double,             -- share of other rows' prompts that an output fits less than its own; mean
    fit_added           double,             -- the same of the refresh's rows
    fit_ci_low          double,             -- of the difference, added minus before
    fit_ci_high         double,             -- below -0.1, the verdict is worse
    fit_rows            bigint,             -- rows of the refresh whose outputs were read
    loss_without        double not null,    -- nats per token of the held-out rows, mean over seeds
    loss_with           double not null,    -- likewise
    difference          double not null,    -- with minus without; above zero, the refresh did harm
    ci_low              double,             -- lower end of the 95 % interval, for other held-out rows and other seeds
    ci_high             double,             -- upper end of the interval
    method              varchar not null,   -- of the interval
    n                   bigint not null,    -- number of held-out rows
    seeds               bigint not null,    -- pairs of adapters
    spread              double not null,    -- standard deviation of the seeds' differences
    p_value             double,             -- two-sided, of no difference
    detectable          double,             -- the difference that is found with a power of about 80 %
    by_seed             double[] not null,  -- the difference of each seed
    prompt_version      varchar not null,   -- version of the prompt template
    dataset_fingerprint varchar not null,   -- of the data set that holds all these rows
    base_fingerprint    varchar not null,   -- sha256 of the weights (rehearsal, local folder) or source@commit (hub)
    items_fingerprint   varchar not null,   -- sha256 over the content of the held-out rows
    adapters            varchar[] not null, -- sha256 of each adapter_model.safetensors, in the folder worth
    rehearsal           boolean not null,   -- made with the embedded teacher or base model
    made_at             timestamptz not null  -- when the comparison was computed
);
