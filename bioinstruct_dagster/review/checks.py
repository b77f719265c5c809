"""The asset checks of the review.

Belongs here: the schema of its tables. Does not: judging reviewers, who are never blocked.
"""

from bioinstruct_dagster.store.schema_checks import schema_check

review_sample_schema = schema_check("review_sample", key=("row_id",))
review_results_schema = schema_check("review_results", key=("row_id",))
