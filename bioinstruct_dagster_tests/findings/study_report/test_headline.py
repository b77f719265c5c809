"""The headline: which training set it is about, its verdicts, and its sentence."""

import pytest

from bioinstruct_dagster.findings.ablation import ablation_rows
from bioinstruct_dagster.findings.published import read_published
from bioinstruct_dagster.findings.ranking import leaderboard_rows
from bioinstruct_dagster.findings.scaling import scaling_rows
from bioinstruct_dagster.findings.study_report.headline import headlines, lines_of
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster_tests.findings.made_study import OLD, STUDY_FILE, Study

QA, IE = "question_answering", "extraction"


def chances(qa, ie):
    return {(QA, "medqa"): (0.4, qa), (QA, "medmcqa"): (0.4, qa), (IE, "mednli"): (0.4, ie)}


@pytest.fixture
def found(store, tmp_path):
    """The headlines of a study that a function fills."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY_FILE, "utf-8")
    matrix, published = read_experiments(path), read_published()

    def of(study):
        filled = study.save()
        return headlines(
            leaderboard_rows(filled, published, {}),
            ablation_rows(filled, matrix, {}),
            scaling_rows(filled, matrix, published),
        )

    return of


def test_without_scores_there_is_no_headline(found, store):
    assert found(Study(store)) == []


def test_the_largest_training_set_is_the_headline_whatever_it_scored(found, store):
    study = Study(store)
    study.add("all-100", chances(0.7, 0.7), rows=100)
    study.add("all", chances(0.4, 0.4), rows=400)
    [one] = found(study)
    assert one.recipes == ["all"]
    assert one.trained_on == "400 instructions of all categories"
    assert {each.verdict for each in one.measures} == {"not shown"}
    assert "showed no certain difference on mednli and average of question answering" in (
        one.sentence()
    )


def test_every_measure_has_a_verdict_that_is_corrected_for_their_number(found, store):
    study = Study(store)
    study.add("all", chances(0.62, 0.25), {"all": (2.0, 1.6)}, rows=400)
    [one] = found(study)
    verdicts = {each.name: each.verdict for each in one.measures}
    assert verdicts == {
        "average of question answering": "better",
        "mednli": "worse",
        "held-out loss": "better",
    }
    sentence = one.sentence()
    assert "became better on average of question answering (+" in sentence
    assert "; it became worse on mednli (-" in sentence
    assert all(0 <= each.p_holm < 0.05 for each in one.measures)


def test_several_seeds_are_one_training_set(found, store):
    study = Study(store)
    for recipe in ("all", "all-s2"):
        study.add(recipe, chances(0.62, 0.5), {"all": (2.0, 1.6)}, rows=400)
    [one] = found(study)
    assert one.seeds == 2
    assert one.recipes == ["all", "all-s2"]
    assert "mean of 2 seeds" in one.sentence()
    assert "other items and other seeds" in one.certainty()


def test_a_tie_says_what_could_have_gone_unseen(found, store):
    study = Study(store, items=40)
    study.add("all", chances(0.4, 0.4), rows=400)
    [one] = found(study)
    assert "points can stay unseen" in one.sentence()
    assert "One seed was trained" in one.certainty()


def test_scores_of_the_present_data_come_before_a_larger_older_set(found, store):
    study = Study(store)
    study.add("all", chances(0.7, 0.7), rows=400, dataset=OLD)
    study.add("all-100", chances(0.4, 0.4), rows=100)
    [one] = found(study)
    assert one.recipes == ["all-100"]
    assert not one.older


def test_only_older_scores_are_said_to_be_older(found, store):
    [one] = found(Study(store).add("all", chances(0.5, 0.5), rows=400, dataset=OLD))
    assert "older data set" in one.older


def test_a_recipe_that_the_experiment_file_lacks_is_named(found, store):
    [one] = found(Study(store).add("another", chances(0.5, 0.5), rows=70))
    assert one.trained_on == "70 instructions of the recipe another"
    title, lines = lines_of(one)
    assert "points" in title
    assert len(lines) == 2


def test_repeated_items_are_named_beside_the_figures_that_hold_them(store):
    study = Study(store).add("all", chances(0.5, 0.5), {"all": (2.0, 1.6)}, rows=400)
    rows = leaderboard_rows(study.save(), read_published(), {})
    assert "repeat" not in headlines(rows, [], [])[0].sentence()
    for row in rows:
        row["items_trained_on"] = int(row["task"] == "held_out")
    [one] = headlines(rows, [], [])
    assert one.sentence().endswith(
        " Training rows repeat 1 item of 150 of held-out loss: the figures include them."
    )


def test_the_drawing_shows_the_loss_if_only_the_loss_changed_for_certain(found, store):
    study = Study(store).add("all", chances(0.4, 0.4), {"all": (2.0, 1.6)}, rows=400)
    title, lines = lines_of(found(study)[0])
    assert "nats" in title
    assert list(lines) == ["held-out loss"]
