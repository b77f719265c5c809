"""Bringing the store of an earlier version up to date, so that nothing that was paid for is lost.

What was paid for or asked is carried over; tables that a materialization makes anew are dropped and
declared as they are now. Belongs here: statements by version. Does not: the present declaration
(`schema.sql`).
"""

# From version 2 (the first with a request store): rejected rows became verdicts, and labels have a
# second pass. Curated rows are made anew from the raw ones, at no cost.
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

# What runs before and after the present declaration is executed, by the version found.
# Version 4 has a table and a view more than version 3: the declaration alone adds them.
MIGRATIONS: dict[int, tuple[str, str]] = {2: (_FROM_2, _AFTER_2), 3: ("", "")}
