"""`.eval_results`: only what may stand on a leaderboard beside the scores of others."""

import yaml
from huggingface_hub import parse_eval_result_entries

from bioinstruct_dagster.evaluation.exchange.hub_results import hub_results
from bioinstruct_dagster_tests.evaluation.exchange.made_scores import made_scores, rows_of

WHOLE = {"medqa": True}


def test_a_whole_split_of_the_hub_is_given():
    clean = rows_of(items="without_contaminated")
    files = hub_results(made_scores(rows_of(), clean), WHOLE, "https://huggingface.co/o/m")
    (entry,) = parse_eval_result_entries(yaml.safe_load(files.pop("medqa.yaml")))
    assert not files
    assert (entry.dataset_id, entry.task_id) == ("GBaker/MedQA-USMLE-4-options", "default")
    assert entry.value == 0.61234
    assert entry.date == "2026-03-01"
    assert entry.source_url == "https://huggingface.co/o/m"
    assert "0.612 [0.500, 0.700], 95 % interval, n = 100" in entry.notes
    assert "training rows repeat some items" in entry.notes


def test_without_a_page_there_is_no_source():
    files = hub_results(made_scores(rows_of()), WHOLE)
    assert "source" not in yaml.safe_load(files["medqa.yaml"])[0]


def test_a_sample_a_file_a_fixture_and_another_metric_are_not_given():
    for rows, whole in (
        (rows_of(), {"medqa": False}),
        (rows_of(), {}),
        (rows_of(source="files"), WHOLE),
        (rows_of(source="fixture"), WHOLE),
        (rows_of(rehearsal=True), WHOLE),
        (rows_of(metric="invalid_answers"), WHOLE),
        (rows_of("held_out", "loss", "own"), {"held_out": True}),
    ):
        assert hub_results(made_scores(rows), whole) == {}
