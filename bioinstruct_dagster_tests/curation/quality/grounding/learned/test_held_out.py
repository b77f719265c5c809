"""The judge on the rows of a writer whom it did not learn from."""

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.grounding.learned.examples import grounding_examples
from bioinstruct_dagster.curation.quality.grounding.learned.held_out import (
    held_out_judge,
    held_out_table,
    writers_of_both_kinds,
)
from bioinstruct_dagster_tests.curation.quality.grounding.learned.test_judge import least_score


def test_most_ungrounded_rows_of_another_writer_are_found_and_few_sound_ones_lost():
    rejected = {"drop": [], "keep": []}
    for writer in ("3", "5"):
        judge = held_out_judge(grounding_examples(), writer, least_score())
        for one in grounding_examples():
            if one.writer == writer:
                row = RowTexts(one.instruction, one.input, one.output)
                rejected[one.want].append(judge.check(row) is not None)
    assert sum(rejected["drop"]) >= 0.7 * len(rejected["drop"]) > 150
    assert sum(rejected["keep"]) <= 0.03 * len(rejected["keep"])


def test_the_table_has_a_line_for_each_writer_of_both_kinds():
    few = [one for one in grounding_examples() if one.writer in {"1", "2", "plain"}]
    assert writers_of_both_kinds(few) == ["1", "2"]
    lines = held_out_table(few).splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == ["writer 1", "writer 2"]
    assert all(line.count("%") == 10 for line in lines[1:])
