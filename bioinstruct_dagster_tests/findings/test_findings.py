"""The three findings over a study of made answers: rows, ties, marks, coverage and files."""

import csv

import pytest

from bioinstruct_dagster.figures.sheet import INLINE_CHARACTERS
from bioinstruct_dagster.findings.ablation import CATEGORY_ABLATION, ablation_rows
from bioinstruct_dagster.findings.coverage import coverage
from bioinstruct_dagster.findings.families import ablation_families, scaling_families
from bioinstruct_dagster.findings.figures.ablation import ablation_figure
from bioinstruct_dagster.findings.figures.leaderboard import leaderboard_figure
from bioinstruct_dagster.findings.made import FINDINGS, Sources, make
from bioinstruct_dagster.findings.published import read_published
from bioinstruct_dagster.findings.ranking import LEADERBOARD, leaderboard_rows
from bioinstruct_dagster.findings.scaling import DATA_SCALING, scaling_rows, size_pairs
from bioinstruct_dagster.findings.summaries import ablation_summary, scaling_summary
from bioinstruct_dagster.findings.wording import marks
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster_tests.findings.made_study import NEW, OLD, STUDY_FILE, Study

QA, IE = "question_answering", "extraction"
TASKS = {(QA, "medqa"): (0.4, 0.4), (QA, "medmcqa"): (0.4, 0.4), (IE, "mednli"): (0.4, 0.4)}


@pytest.fixture
def matrix(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY_FILE, "utf-8")
    return read_experiments(path)


def chances(qa=0.4, ie=0.4):
    return {(QA, "medqa"): (0.4, qa), (QA, "medmcqa"): (0.4, qa), (IE, "mednli"): (0.4, ie)}


def small_study(store, **options):
    """A study in which question answering helps question answering, and extraction extraction."""
    study = Study(store, **options)
    study.add("question_answering", chances(qa=0.62), {"all": (2.0, 1.8), QA: (2.0, 1.7)})
    study.add("question_answering-s2", chances(qa=0.63), {"all": (2.0, 1.8), QA: (2.0, 1.7)})
    study.add("information_extraction", chances(ie=0.62), {"all": (2.0, 1.9), QA: (2.0, 1.95)})
    study.add("information_extraction-s2", chances(ie=0.63), {"all": (2.0, 1.9), QA: (2.0, 1.95)})
    study.add("all-100", chances(0.45, 0.45), {"all": (2.0, 1.9)}, rows=100)
    study.add("all-200", chances(0.52, 0.5), {"all": (2.0, 1.8)}, rows=200)
    study.add("all-200-s2", chances(0.56, 0.5), {"all": (2.0, 1.8)}, rows=200)
    study.add("all", chances(0.62, 0.62), {"all": (2.0, 1.6)}, rows=400)
    return study


def cell(rows, trained_on, task, category):
    (found,) = [
        row for row in rows
        if (row["trained_on"], row["task"], row["category"]) == (trained_on, task, category)
    ]  # fmt: skip
    return found


def test_a_training_category_helps_its_own_evaluation_category(store, matrix):
    rows = ablation_rows(small_study(store).save(), matrix, {})
    own = cell(rows, "question_answering", "average", QA)
    other = cell(rows, "information_extraction", "average", QA)
    assert own["difference_low"] > 0
    assert own["trained_on_it"]
    assert own["tied_with_best"]
    assert own["seeds"] == 2
    assert own["recipes"] == ["question_answering", "question_answering-s2"]
    assert own["difference"] == pytest.approx(own["score"] - own["base_score"])
    assert own["relative_gain"] == pytest.approx(own["difference"] / own["base_score"])
    assert own["relative_low"] < own["relative_gain"] < own["relative_high"]
    assert own["detectable"] > 0
    assert not other["trained_on_it"]
    assert not other["tied_with_best"]
    assert other["compared_by"] == "paired by item"


def test_a_category_of_one_task_is_shown_by_that_task(store, matrix):
    rows = ablation_rows(small_study(store).save(), matrix, {})
    own = cell(rows, "information_extraction", "mednli", IE)
    assert own["trained_on_it"]  # extraction of tasks is information_extraction of rows
    assert own["relative_low"] is not None
    assert {row["task"] for row in rows if row["category"] == QA} == {"average", "held_out"}


def test_the_losses_of_the_test_split_are_compared_in_pairs(store, matrix):
    rows = ablation_rows(small_study(store).save(), matrix, {})
    best = cell(rows, "generation+information_extraction+other+question_answering",
                "held_out", "all")  # fmt: skip
    worse = cell(rows, "information_extraction", "held_out", "all")
    assert best["compared_by"] == "paired by item"
    assert best["lower_is_better"]
    assert best["tied_with_best"]
    assert not worse["tied_with_best"]


def test_sizes_stand_in_a_curve_with_their_seeds(store, matrix):
    rows = scaling_rows(small_study(store).save(), matrix, read_published())
    curve = [row for row in rows if (row["task"], row["category"]) == ("average", QA)]
    assert [row["train_rows"] for row in curve] == [100, 200, 400]
    assert [row["rows_asked"] for row in curve] == [100, 200, None]
    assert [row["seeds"] for row in curve] == [1, 2, 1]
    assert len(curve[1]["seed_scores"]) == 2
    assert curve[1]["spread"] > 0
    assert curve[1]["ci_low"] < min(curve[1]["seed_scores"])
    assert curve[0]["score"] < curve[1]["score"] < curve[2]["score"]


def test_the_leaderboard_shows_ties_as_ranges_of_places(store, matrix):
    rows = leaderboard_rows(small_study(store).save(), read_published(), {})
    board = {row["recipe"]: row for row in rows if row["task"] == "medqa"}
    good, twin = board["question_answering"], board["question_answering-s2"]
    poor = board["information_extraction"]
    assert good["place_best"] == twin["place_best"] == 1
    assert good["place_last"] >= 2
    assert poor["place_best"] > 1
    assert not poor["tied_with_best"]
    assert good["compared"] == 8
    assert {row["compared_by"] for row in board.values()} == {"paired by item"}


def test_losses_of_two_base_models_are_not_ranked_against_each_other(store):
    study = Study(store)
    for base in ("tiny", "large"):
        study.add("all", {}, {"all": (2.0, 1.8)}, base_model=base)
    rows = leaderboard_rows(study.save(), read_published(), {})
    assert {row["compared"] for row in rows} == {1}


def test_quoted_gains_stand_beside_real_scores_and_never_beside_a_rehearsal(store, matrix):
    real = leaderboard_rows(small_study(store).save(), read_published(), {})
    quoted = {row["category"]: row["quoted_gain"] for row in real if row["task"] == "average"}
    assert quoted == {QA: 0.173}
    assert all(row["quoted_gain"] is None for row in real if row["task"] != "average")
    study = small_study(store, source="fixture", rehearsal=True)
    rows = leaderboard_rows(study.save(), read_published(), {})
    assert all(row["quoted_gain"] is None and row["rehearsal"] for row in rows)


def test_results_of_an_older_data_set_are_marked_and_not_mixed(store, matrix):
    study = Study(store)
    study.add("question_answering", chances(0.6), dataset=NEW)
    study.add("question_answering-s2", chances(0.6), dataset=OLD)
    study.add("generation", chances(0.6), dataset=OLD)
    rows = ablation_rows(study.save(), matrix, {})
    of_average = [row for row in rows if row["task"] == "average"]
    assert sorted((row["trained_on"], row["seeds"], bool(row["older"])) for row in of_average) == [
        ("generation", 1, True),
        ("question_answering", 1, False),
        ("question_answering", 1, True),
    ]
    board = leaderboard_rows(store, read_published(), {})
    assert {row["recipe"] for row in board if row["older"]} == {
        "question_answering-s2", "generation",
    }  # fmt: skip


def test_coverage_says_what_is_scored_and_how_to_score_the_rest(store, matrix):
    small_study(store).save()
    scored = {("tiny", "question_answering"), ("tiny", "all")}
    (line,) = coverage("category_ablation", ablation_families(matrix), scored, "")
    assert "2 of 5 recipes of tiny are scored" in line
    assert 'experiments: ["tiny|information_extraction"' in line
    assert "tiny|question_answering-s2" in line
    (line,) = coverage("data_scaling", scaling_families(matrix), set(), "")
    assert "no experiment of it is scored" in line
    assert coverage("data_scaling", [], scored, "none.") == ["data_scaling: none."]
    (line,) = coverage("data_scaling", scaling_families(matrix), scored, "", lambda _: 150)
    assert "1 need more training rows than the data set has" in line
    assert "all-200" not in line
    whole = {one for family in scaling_families(matrix) for one in family.experiments}
    (line,) = coverage("data_scaling", scaling_families(matrix), whole, "")
    assert line == "data_scaling: 3 of 3 recipes of tiny are scored."


@pytest.mark.parametrize("name", list(FINDINGS))
def test_a_finding_is_a_table_a_figure_and_a_file(store, settings, matrix, name):
    small_study(store, rehearsal=True, source="fixture").save()
    made = make(name, Sources.of(store, settings, matrix), settings)
    assert store.rows(f"select count(*) as n from {name}")[0]["n"] == len(made.rows) > 3
    assert len(store.rows(FINDINGS[name].sql)) == len(made.rows)
    files = {path.name: path for path in made.files}
    assert {f"{name}.png", f"{name}.svg", f"{name}.csv"} <= set(files)
    with files[f"{name}.csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(made.rows)
    assert {row["rehearsal"] for row in rows} == {"True"}
    svg = files[f"{name}.svg"].read_text("utf-8")
    assert 'aria-label="Rehearsal, no result of medicine.' in svg
    assert made.summary.startswith("Rehearsal")
    assert len(made.summary) < INLINE_CHARACTERS
    assert "data:image/svg+xml" in made.summary
    assert made.picture.startswith(b"\x89PNG")
    assert len(made.picture) < 400_000


@pytest.mark.parametrize("name", list(FINDINGS))
def test_a_finding_without_scores_says_so_and_leaves_no_old_figure(store, settings, matrix, name):
    small_study(store).save()
    sources = Sources.of(store, settings, matrix)
    before = make(name, sources, settings)
    store.replace({"eval_scores": []})
    made = make(name, sources, settings)
    assert made.rows == []
    assert made.picture is None
    assert "scored yet" in made.summary
    for path in before.files:
        assert path.exists() == (path.suffix == ".csv")


def texts_of(figure):
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        found += [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    return found + [text.get_text() for text in figure.texts]


def test_the_figure_of_a_rehearsal_bears_the_word(store, matrix):
    small_study(store, rehearsal=True).save()
    rows = ablation_rows(store, matrix, {})
    assert "REHEARSAL" in texts_of(ablation_figure(rows))
    small_study(store).save()
    assert "REHEARSAL" not in texts_of(ablation_figure(ablation_rows(store, matrix, {})))


def test_the_heat_map_of_tasks_quotes_others_in_rows_of_their_own(store):
    small_study(store).save()
    published = read_published()
    texts = texts_of(leaderboard_figure(leaderboard_rows(store, published, {}), published))
    assert "quoted: PMC-LLaMA-7B, PEFT" in texts
    assert "30.6 %" in texts
    assert any("paper's relative gain,\nquoted: +17.3 %" in text for text in texts)


def test_the_cells_hold_numbers_and_frames_hold_ties(store, matrix):
    small_study(store).save()
    rows = ablation_rows(store, matrix, {})
    own = cell(rows, "question_answering", "average", QA)
    texts = texts_of(ablation_figure(rows))
    assert f"{100 * own['difference']:+.1f} (=)" in texts
    assert f"{100 * own['relative_gain']:+.1f} %" in texts


def test_sizes_are_compared_in_pairs(store, matrix):
    rows = scaling_rows(small_study(store).save(), matrix, read_published())
    pairs = size_pairs(rows, store, {})
    mine = [one for one in pairs if one.small["task"] == "average"]
    assert [(one.small["train_rows"], one.large["train_rows"]) for one in mine] == [
        (100, 400), (100, 200), (200, 400),
    ]  # fmt: skip
    for one in mine:
        assert one.change.score == pytest.approx(one.large["score"] - one.small["score"])
    assert mine[0].change.low > 0
    assert "Largest minus smallest size, paired by item: -" in scaling_summary(rows, pairs)
    assert "not compared in pairs" in scaling_summary(rows, [])


def test_uncertain_cells_are_white_and_set_no_scale(store, matrix):
    rows = ablation_rows(small_study(store).save(), matrix, {})
    before = faces_of(ablation_figure(rows))
    one_item = cell(rows, "question_answering", "held_out", QA)
    one_item |= {"difference": -40.0, "difference_low": None, "difference_high": None}
    after = faces_of(ablation_figure(rows))
    assert len(before - {"#ffffff"}) > 2
    assert after <= before | {"#ffffff"}


def faces_of(figure):
    from matplotlib.colors import to_hex

    return {to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches if patch.get_fill()}


def test_a_greatest_gain_is_named_only_where_training_sets_differ(store, matrix):
    rows = ablation_rows(small_study(store).save(), matrix, {})
    assert "Greatest gain by category: average of question answering: QA" in ablation_summary(rows)
    equal = [row | {"tied_with_best": True} for row in rows]
    assert "Greatest gain" not in ablation_summary(equal)
    assert "No training set can be told from another on" in ablation_summary(equal)
    unknown = [row | {"difference_low": None} for row in rows]
    assert "average of question answering" not in ablation_summary(unknown)


def test_a_heading_holds_the_whole_range_of_detectable_differences(store, matrix):
    rows = ablation_rows(small_study(store).save(), matrix, {})
    same = [row for row in rows if (row["task"], row["category"]) == ("average", QA)]
    for row, detectable in zip(same, (0.011, 0.973, 0.5), strict=False):
        row["detectable"] = detectable
    assert any("detectable\n1.1 to 97.3 points" in text for text in texts_of(ablation_figure(rows)))


def test_many_experiments_are_ranked_and_the_figure_stays_readable(store):
    study = Study(store, items=60)
    for number in range(50):
        study.add(f"recipe-{number:02d}", {(QA, "medqa"): (0.4, 0.3 + number / 100)})
    rows = leaderboard_rows(study.save(), read_published(), {})
    assert [row["compared"] for row in rows] == [50] * 50
    assert rows[0]["place_best"] == 1
    assert rows[-1]["place_last"] == 50
    texts = texts_of(leaderboard_figure(rows, read_published()))
    assert "10 more experiments: leaderboard.csv" in texts


def test_the_named_statements_are_whole():
    for statement in (LEADERBOARD, CATEGORY_ABLATION, DATA_SCALING):
        assert "rehearsal" in statement


@pytest.mark.parametrize("name", FINDINGS)
def test_each_table_marks_the_rows_whose_items_were_trained_on(store, settings, matrix, name):
    of = small_study(store).save()
    items = of.rows("from eval_predictions")
    repeated = {("question_answering-s2", "medqa"), ("all-200-s2", "medqa")}
    for one in items:
        one["contaminated"] = (one["recipe"], one["task"]) in repeated and one["item_id"] in {
            "medqa-0001", "medqa-0002",
        }  # fmt: skip
    of.replace({"eval_predictions": items})
    assert sum(one["contaminated"] for one in items)
    made = make(name, Sources(of, matrix, read_published(), {}), settings)
    by_mark = {True: set(), False: set()}
    for row in made.rows:
        recipes = row.get("recipes") or [row["recipe"]]
        hit = any((recipe, "medqa") in repeated for recipe in recipes)
        in_measure = row["task"] == "medqa" or (row["task"], row["category"]) == ("average", QA)
        marked = "training rows repeat 2 items" in marks(row)
        assert marked == (hit and in_measure)
        by_mark[marked].add(row["task"])
    assert all(by_mark.values())
