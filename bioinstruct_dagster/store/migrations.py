"""Migrations: they bring the store of an earlier version up to date without losing paid results.

A migration keeps every completion and label that a teacher gave. It drops tables that the next
materialization writes again, and the current declaration creates them. Belongs here: statements by
version. Does not: the current declaration (`schema.sql`).
"""

# From version 2, the first version that stored requests: the table of rejected rows became a view
# of verdicts, and labels got a second pass. The next materialization curates the raw rows again, at
# no cost.
_FROM_2 = """
    drop view if exists funnel;
    drop view if exists lineage;
    drop table if exists rejected_instructions;
    drop table if exists deduplicated_instructions;
    drop table if exists categorized_instructions;
    alter table category_labels rename to earlier_labels;
"""
_AFTER_2 = """
    insert into category_labels by name select *, 1 as pass from earlier_labels;
    drop table earlier_labels;
"""

# From version 4 or earlier: columns that the declaration can't add to an existing table.
_COLUMNS_OF_5 = """
    alter table completions add column reasoning varchar;
    alter table completions add column body varchar;
    alter table teacher_dialects add column folds_system boolean;
    alter table teacher_dialects add column output_limit varchar;
    alter table teacher_dialects add column reasoning_effort varchar;
    alter table batches add column prompt_tokens bigint;
    alter table batches add column token_limit bigint;
"""

# From version 5 or earlier: what an adapter's row says changed, and its folder tells the same. The
# folders of earlier adapters stay; the next materialization writes new rows.
_ADAPTERS_OF_6 = """
    drop table if exists lora_adapter;
"""

# From version 6 or earlier: scores have a task, a method and a p-value now. Adapters, completions
# and labels are kept; the next materialization scores the adapters again.
_SCORES_OF_7 = """
    drop table if exists eval_scores;
    drop table if exists eval_predictions;
"""

# By the version of the store: the statements before and after the current declaration.
# The declaration alone adds what is new in versions 4 (a table and a view), 8 (a table) and 9 (the
# tables of reviews and of findings).
MIGRATIONS: dict[int, tuple[str, str]] = {
    2: (_FROM_2 + _COLUMNS_OF_5 + _ADAPTERS_OF_6 + _SCORES_OF_7, _AFTER_2),
    3: (_COLUMNS_OF_5 + _ADAPTERS_OF_6 + _SCORES_OF_7, ""),
    4: (_COLUMNS_OF_5 + _ADAPTERS_OF_6 + _SCORES_OF_7, ""),
    5: (_ADAPTERS_OF_6 + _SCORES_OF_7, ""),
    6: (_SCORES_OF_7, ""),
    7: ("", ""),
    8: ("", ""),
}
