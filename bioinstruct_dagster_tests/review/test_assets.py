"""The review through the real graph: sample, filled-in files, and what follows for the data set."""

import csv
import io
import json
import re
import shutil

import pytest

from bioinstruct_dagster.figures.sheet import INLINE_CHARACTERS
from bioinstruct_dagster.review.reported import review_figures
from bioinstruct_dagster.review.unread import unread_judgements
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster_tests.curation.imports import SOUND, Imported, shown, why_it_failed

ASSETS = (
    "deduplicated_instructions", "categorized_instructions", "review_sample", "review_results",
    "hf_dataset",
)  # fmt: skip
REVIEWED = ASSETS[2:]
SHORT = ("???", "N/A", "Aspirin.")
NEAR = ("Name the vitamin whose lack causes scurvy in grown adults.", "", "Ascorbic acid.")
PRIVATE = ("Say how gout is treated.", "", "The patient with MRN: 4839201 takes colchicine.")
ROWS = (*SOUND, SHORT, NEAR, PRIVATE)


@pytest.fixture(scope="module")
def made(tmp_path_factory, hugging_face):
    """The project over the rows, run once without a review."""
    path = tmp_path_factory.mktemp("made")
    project = Imported(Settings.of(data_dir=path / "data", eval_dir=path / "eval"), path)
    project.first = project.run(ROWS, ASSETS)
    assert project.first.success
    return project


@pytest.fixture
def project(made, tmp_path):
    """A copy of it."""
    shutil.copytree(made.settings.store.data_dir, tmp_path / "data")
    shutil.copy(made.folder / "rows.jsonl", tmp_path)
    project = Imported(made.settings.changed(data_dir=tmp_path / "data"), tmp_path)
    project.first = made.first
    return project


def folder(project):
    return project.settings.store.data_dir / "review"


def items(project):
    """The items on the page, by their instruction."""
    text = (folder(project) / "review.html").read_text("utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return {item["instruction"]: item for item in json.loads(found[1])["items"]}


def fill(project, name, judgements):
    """Write a filled-in file: for each instruction, the fields of its judgement."""
    found = items(project)
    reviewer = name.partition(".")[0]
    rows = [
        {"item_id": found[text]["id"], "reviewer": reviewer, "decision": "accept", **fields}
        for text, fields in judgements.items()
    ]
    path = folder(project) / "filled" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rows), "utf-8")


REJECT = {"decision": "reject", "reason": "wrong_answer"}


def test_without_a_review_the_chain_is_as_before_and_says_so(project):
    assert "No review yet" in shown(project.first, "review_results")["summary"]
    assert next(iter(shown(project.first, "review_results"))) == "summary"
    assert review_figures(project.store) is None
    assert len(project.values("select row_id from hf_dataset")) == len(SOUND)
    assert project.values("select 1 from funnel where stage = 'review_results'") == []


def test_the_page_holds_kept_and_rejected_rows_without_identifiers(project):
    assert set(items(project)) == {row[0] for row in ROWS}
    text = (folder(project) / "review.html").read_text("utf-8")
    sheet = (folder(project) / "review.csv").read_bytes()
    assert "4839201" not in text
    assert b"4839201" not in sheet
    assert items(project)[PRIVATE[0]]["output"] == "The patient with MRN: [mrn] takes colchicine."
    assert not re.search(r'(src|href)="?http|url\(', text)
    near = items(project)[NEAR[0]]["near"]
    assert near["what"] == "an earlier row"
    assert near["text"].startswith("Name the vitamin")
    # A box beside rejected rows only would tell the verdict.
    assert sum(item["near"] is not None for item in items(project).values()) >= len(ROWS) - 1


def test_strata_and_weights_are_stored(project):
    strata = {row["stratum"]: row for row in project.store.rows("from review_strata")}
    assert {"rejected by quality", "rejected by novelty", "rejected by privacy"} <= strata.keys()
    assert sum(row["population"] for row in strata.values()) == len(ROWS)
    assert set(project.values("select weight from review_sample")) == {1.0}
    small = project.run(None, ("review_sample",), review_rows=4)
    assert small.success
    weighed = project.store.rows("select stratum, sum(weight) as n from review_sample group by all")
    for row in weighed:
        assert row["n"] == pytest.approx(strata[row["stratum"]]["population"])


def test_reviewers_take_rows_out_and_correct_categories(project):
    fill(project, "AB.json", {SOUND[0][0]: REJECT, SOUND[1][0]: {"category": "other"},
                              SHORT[0]: {}, NEAR[0]: REJECT})  # fmt: skip
    result = project.run(None, REVIEWED)
    assert result.success
    kept = "select instruction from reviewed_instructions order by ordinal"
    assert project.values(kept) == [row[0] for row in SOUND[1:]]
    assert len(project.values("select row_id from hf_dataset")) == len(SOUND) - 1
    [label] = project.store.rows(
        "select category, labelled_by from reviewed_instructions where instruction = $text",
        {"text": SOUND[1][0]},
    )
    assert label == {"category": "other", "labelled_by": "human:AB"}
    assert project.store.rows(
        "select outcome, rows from funnel where stage = 'review_results'"
    ) == [{"outcome": "excluded: wrong_answer", "rows": 1}]
    assert "review: wrong_answer" in project.values("select fate from lineage")
    figures = review_figures(project.store)
    assert figures.counts["excluded"] == 1
    assert figures.counts["wrongly_rejected"] == 1
    assert figures.measure("filter_precision", "quality")["value"] == 0.0
    assert figures.measure("filter_precision", "novelty")["value"] == 1.0
    assert "4 rows judged" in shown(result, "review_results")["summary"]


def test_judged_rows_are_not_asked_again_and_a_removed_file_brings_rows_back(project):
    fill(project, "AB.json", {SOUND[0][0]: REJECT})
    assert project.run(None, REVIEWED).success
    assert items(project)[SOUND[0][0]]["judged_by"] == ["AB"]
    sheet = list(
        csv.DictReader(io.StringIO((folder(project) / "review.csv").read_text("utf-8-sig")))
    )
    assert len(sheet) == len(ROWS) - 1
    before = items(project)
    grown = (*ROWS, ("Explain why anaemia causes fatigue.", "", "Blood carries less oxygen."))
    assert project.run(grown, ASSETS).success
    assert before.keys() < items(project).keys()
    assert all(items(project)[name]["id"] == item["id"] for name, item in before.items())
    (folder(project) / "filled" / "AB.json").unlink()
    assert project.run(None, REVIEWED).success
    assert len(project.values("select row_id from hf_dataset")) == len(SOUND) + 1


def test_two_who_contradict_each_other_are_listed_until_a_third_decides(project):
    fill(project, "AB.json", {SOUND[0][0]: REJECT, SOUND[1][0]: {}, SHORT[0]: REJECT})
    fill(project, "CD.json", {SOUND[0][0]: {}, SOUND[1][0]: {}, SHORT[0]: REJECT})
    assert project.run(None, REVIEWED).success
    assert project.values("select reviewer from review_adjudication") == ["AB", "CD"]
    assert items(project)[SOUND[0][0]]["disputed"]
    assert SOUND[0][0] not in project.values("select instruction from reviewed_instructions")
    kappa = review_figures(project.store).measure("kappa_decision", "AB and CD")
    assert kappa["judged"] == 3
    fill(project, "EF.json", {SOUND[0][0]: {}})
    assert project.run(None, REVIEWED).success
    assert project.values("select reviewer from review_adjudication") == []
    assert SOUND[0][0] in project.values("select instruction from reviewed_instructions")


def test_a_spreadsheet_filled_in_and_saved_by_excel_is_read(project):
    sheet = (folder(project) / "review.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
    rows[0] |= {"decision": "Accept", "category": "other", "reviewer": "AB"}
    rows[1] |= {"decision": "reject", "reason": "off topic", "comment": 'größer; "so"'}
    written = io.StringIO(newline="")
    out = csv.DictWriter(written, rows[0].keys(), delimiter=";", lineterminator="\r\n")
    out.writeheader()
    out.writerows(rows)
    path = folder(project) / "filled" / "AB.csv"
    path.parent.mkdir()
    path.write_text(written.getvalue(), "utf-8-sig", newline="")
    assert project.run(None, REVIEWED).success
    judged = project.store.rows("select item_id, decision from review_judgements order by decision")
    assert judged == [
        {"item_id": rows[0]["item_id"], "decision": "accept"},
        {"item_id": rows[1]["item_id"], "decision": "reject"},
    ]


def test_ids_that_are_shifted_against_the_texts_are_refused(project):
    sheet = (folder(project) / "review.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
    ids = [row["item_id"] for row in rows]
    written = io.StringIO(newline="")
    out = csv.DictWriter(written, rows[0].keys())
    out.writeheader()
    for row, item_id in zip(rows, ids[1:] + ids[:1], strict=True):
        out.writerow(row | {"item_id": item_id, "reviewer": "AB"} | REJECT)
    path = folder(project) / "filled" / "AB.csv"
    path.parent.mkdir()
    path.write_text(written.getvalue(), "utf-8", newline="")
    said = why_it_failed(project.run(None, REVIEWED), "review_results")
    assert "AB.csv, line 2: column instruction" in said
    assert "copy your answers to their lines" in said
    assert project.values("select count(*) from review_results") == [0]


def test_faults_and_reviews_of_other_sets_end_the_step_and_keep_what_was_there(project):
    fill(project, "AB.json", {SOUND[0][0]: REJECT})
    assert project.run(None, REVIEWED).success
    path = folder(project) / "filled" / "CD.csv"
    path.write_text("item_id,reviewer,decision\nrow-0-12345678,CD,perhaps\n", "utf-8")
    failed = project.run(None, REVIEWED)
    said = why_it_failed(failed, "review_results")
    assert "CD.csv" in said
    assert "line 2: field decision: 'perhaps' is unknown" in said
    assert project.values("select count(*) from review_results where excluded") == [1]
    path.write_text("item_id,reviewer,decision\nrow-0-12345678,CD,accept\n", "utf-8")
    assert "another data set" in why_it_failed(project.run(None, REVIEWED), "review_results")


def test_files_that_nobody_has_read_are_named_until_they_are(project):
    def unread():
        return unread_judgements(project.store, project.settings)

    assert unread() is None
    instruction = SOUND[0][0]
    fill(project, "AB.json", {instruction: REJECT})
    assert "has not read 1 judgement, of which 1 rejection, in AB.json" in unread()
    assert project.run(ROWS, REVIEWED).success
    assert unread() is None
    fill(project, "AB.json", {instruction: REJECT | {"reason": "unclear"}})
    assert "has not read 1 judgement" in unread()
    fill(project, "AB.json", {instruction: {}})
    assert "has not read 1 judgement, in AB.json" in unread()
    (folder(project) / "filled" / "AB.json").rename(folder(project) / "filled" / "renamed.json")
    fill(project, "renamed.json", {instruction: REJECT | {"reviewer": "AB"}})
    assert unread() is None  # it says the same
    (folder(project) / "filled" / "renamed.json").unlink()
    assert "holds 1 judgement of AB.json" in unread()


def test_the_summaries_have_a_figure_that_dagster_shows_in_place(project):
    sample = shown(project.first, "review_sample")["summary"]
    assert "are on the review page" in sample
    assert "rejected: novelty 1 of 1" in sample
    assert "image/svg+xml" in shown(project.first, "review_results")["summary"]
    fill(project, "AB.json", {SOUND[0][0]: REJECT, SOUND[1][0]: {}, NEAR[0]: REJECT})
    found = shown(project.run(ROWS, REVIEWED), "review_results")["summary"]
    assert "Precision of the filters" in found.replace("\\\n", " ")
    assert all(
        name in found for name in ("image/svg+xml", "defective kept rows", "rightly rejected")
    )
    assert max(map(len, (sample, found))) < INLINE_CHARACTERS
