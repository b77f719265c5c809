"""The report says of rows, adapters and scores what the store holds, not what settings say."""

from datetime import UTC, datetime

import pytest

from bioinstruct_dagster.report import render
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster_tests.curation.imports import LABELLED, SOUND, Imported
from bioinstruct_dagster_tests.dataset.placing import place
from bioinstruct_dagster_tests.dataset.test_older_results import adapter, placed, score

NEW, OLD = "a" * 64, "b" * 64
REAL = {"rehearsal": False, "labelled_by": "teacher:gpt-x"}


def text_of(settings, store):
    return "\n".join(render(settings, store))


def completion(number, *, rehearsal, usd):
    now = datetime.now(UTC)
    texts = ("template_id", "template_sha256", "content", "reply_format")
    return dict.fromkeys(texts, "x") | {
        "completion_id": f"completion-{number}",
        "purpose": "generation",
        "teacher": "openai",
        "rehearsal": rehearsal,
        "model_asked": "gpt-x",
        "parameters": "{}",
        "messages": "[]",
        "draw": 0,
        "seed_ids": [],
        "service": "online",
        "prompt_tokens": 10,
        "completion_tokens": 10,
        "usd": usd,
        "requested_at": now,
        "completed_at": now,
    }


def test_nothing_of_a_teacher_or_its_cost_is_said_of_an_import(settings, tmp_path):
    project = Imported(settings, tmp_path)  # under the teacher `rehearsal`, the default
    assert project.run(SOUND, LABELLED).success
    text = text_of(settings, project.store)
    assert "rehearsal" not in text.lower()
    assert "raw rows                      6" in text
    assert "6 imported from the file `rows.jsonl` (sha256 begins with " in text
    assert str(tmp_path / "rows.jsonl") not in text
    for said in ("seed tasks", "completions  ", "$", "Last generation", "real teacher"):
        assert said not in text, said


def test_a_rehearsal_behind_another_teacher_s_name_is_one(store, settings, dataset_rows):
    place(store, settings, dataset_rows)
    store.replace({"completions": [completion(1, rehearsal=True, usd=0.02)]})
    asked = settings.changed(teacher="openai", openai_api_key="k", openai_base_url="http://x")
    text = text_of(asked, store)
    assert "This is a rehearsal\n" in text
    assert "60 of 60 raw rows were replayed by the rehearsal teacher." in text
    assert "Spent so far" not in text


def test_real_rows_are_no_rehearsal_whatever_the_settings_say(store, settings, dataset_rows):
    place(store, settings, [row | REAL for row in dataset_rows])
    assert settings.teacher.name == "rehearsal"
    text = text_of(settings, store)
    assert "is a rehearsal" not in text
    assert "60 written by a teacher" in text


def test_a_mixed_set_says_how_much_is_a_rehearsal(store, settings, dataset_rows):
    imported = {"source": "import:/home/maria/set.csv@0123456789ab", "rehearsal": False}
    rows = [row | REAL for row in dataset_rows[:30]]
    rows += [row | imported for row in dataset_rows[30:40]]
    place(store, settings, [*rows, *dataset_rows[40:]])
    text = text_of(settings, store)
    assert "A part of this is a rehearsal\n" in text
    assert "20 of 60 raw rows were replayed by the rehearsal teacher." in text
    for part in ("30 written by a teacher", "10 imported from the file `set.csv`"):
        assert part in text
    assert "maria" not in text


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ([0.5, 0.25], "Spent so far: $0.75 for 2 completions\n"),
        ([None, None], "Spent so far: an unknown amount for 2 completions without a price\n"),
        (
            [0.5, None],
            "Spent so far: $0.50 for 1 completions, and an unknown amount for 1 completions",
        ),
    ],
)
def test_an_unknown_price_is_never_zero(store, settings, dataset_rows, costs, said):
    place(store, settings, [row | REAL for row in dataset_rows])
    replies = [completion(n, rehearsal=False, usd=usd) for n, usd in enumerate(costs)]
    store.replace({"completions": replies})
    text = text_of(settings, store)
    assert said in text
    assert "$0.00" not in text


def test_a_request_of_unknown_price_without_a_reply_is_not_free(store, settings):
    row = {"reservation_id": "r", "completion_id": "c", "tokens": 9, "rehearsal": False}
    store.replace({"presumed_spend": [row | {"usd": None, "reserved_at": datetime.now(UTC)}]})
    text = text_of(settings, store)
    assert "an unknown amount more for 1 requests without a reply" in text


def with_results(store, *, trained_on):
    store.replace(
        {
            "hf_dataset": placed(NEW),
            "lora_adapter": [adapter(trained_on), adapter(NEW, recipe="other")],
            "eval_scores": [
                score(trained_on, subject) for subject in ("base", "adapter", "difference")
            ]
            + [score(NEW) | {"recipe": "other", "score": 0.4}],
        }
    )


def test_results_of_an_older_data_set_are_marked_wherever_they_stand(store, settings):
    with_results(store, trained_on=OLD)
    text = text_of(settings, store)
    mark = "OLDER: of an older data set (bbbbbbbbbbbb; the present one is aaaaaaaaaaaa)"
    assert text.count(mark) == 3  # at the adapter, at its scores, and on the leaderboard
    board = text.split("Leaderboard")[1].split("\n\n")[0]
    lines = [line for line in board.splitlines() if "llama|" in line]
    assert "llama|all" in lines[0]  # the better score, though it is of older data
    assert mark in lines[0]
    assert mark not in lines[1]
    assert "medqa (accuracy), n = 9, items x/x" in board


def test_unlike_items_are_not_ranked(store, settings):
    few = score(NEW) | {"recipe": "other", "n": 4, "items_source": "fixture"}
    store.replace({"hf_dataset": placed(NEW), "eval_scores": [score(NEW), few]})
    board = text_of(settings, store).split("Leaderboard")[1].split("\n\n")[0]
    assert "2 scores are not ranked: no other adapter was scored on the same items." in board
    assert "llama|" not in board


def test_a_score_whose_items_were_trained_on_is_marked(store, settings):
    item = {
        "base_model": "llama", "recipe": "all", "task": "medqa", "subject": "adapter",
        "item_id": "1", "prediction": "x", "metric": "accuracy", "value": 1.0, "metrics": "{}",
        "ended": True, "tokens_lost": 0, "rehearsal": False, "contaminated": True,
    }  # fmt: skip
    scores = [score(NEW), score(NEW) | {"recipe": "other"}]
    store.replace({"hf_dataset": placed(NEW), "eval_scores": scores, "eval_predictions": [item]})
    text = text_of(settings, store)
    assert text.count("TRAINED ON: training rows repeat 1 of 9 items") == 2


def test_results_of_the_present_data_set_are_not_marked(store, settings):
    with_results(store, trained_on=NEW)
    text = text_of(settings, store)
    assert "OLDER: of" not in text
    assert "Leaderboard" in text


def test_an_average_over_fixtures_and_files_says_that_it_has_no_meaning(store, settings):
    mixed = score(NEW) | {"items_source": "files+fixture"}
    store.replace({"hf_dataset": placed(NEW), "eval_scores": [mixed]})
    assert "fixture items: no meaning" in text_of(settings, store)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("raw_instructions", "deduplicated_instructions is older than the raw rows"),
        ("deduplicated_instructions", "categorized_instructions is older than the kept rows"),
        ("categorized_instructions", "hf_dataset is older than the labelled rows"),
    ],
)
def test_rows_that_are_older_than_their_input_are_marked(
    store, settings, dataset_rows, table, said
):
    place(store, settings, dataset_rows)
    assert "OLDER" not in text_of(settings, store)
    with store.write() as connection:
        connection.execute(f"delete from {table} where ordinal < 3")
    assert f"OLDER: {said}: 3 of its 60 rows are gone" in text_of(settings, store)


def test_an_import_after_a_rehearsal_leaves_its_data_set_a_rehearsal(store, settings, dataset_rows):
    place(store, settings, dataset_rows)
    imported = {"source": "import:set.csv@0123456789ab", "rehearsal": False}
    row = {"row_id": "new", "ordinal": 0, "position": 0, "completion_id": None, **imported}
    store.replace({"raw_instructions": [row | {"instruction": "a", "input": "", "output": "b"}]})
    text = text_of(settings, store)
    assert "A part of this is a rehearsal" in text
    assert "60 of 60 rows of the data set are marked as a rehearsal." in text
    assert "raw rows were replayed" not in text
    assert "60 of its 60 rows are gone or changed, and 1 are missing" in text


def raw_rows(store, number):
    marks = {"source": "completion", "rehearsal": True, "completion_id": "completion-1"}
    texts = {"instruction": "a", "input": "", "output": "b", "position": 0}
    rows = [{"row_id": f"r{n}", "ordinal": n} | marks | texts for n in range(number)]
    replies = [completion(n, rehearsal=True, usd=0.1) for n in (1, 2)]
    behind = {"outcome": "parsed", "tasks": number, "dropped": 0, "detail": ""}
    now = datetime.now(UTC)
    counts = ("reused", "failed", "rate_limited", "retried", "presumed", "tokens")
    last = dict.fromkeys(counts, 0) | {"asked": 2, "service": "online", "usd": 0.2}
    last |= {"started_at": now, "finished_at": now, "purpose": "generation", "model": "m"}
    last |= {"teacher": "rehearsal", "rehearsal": True}
    last |= {"stopped": "BIOINSTRUCT_MAX_USD is reached."}
    store.replace(
        {
            "raw_instructions": rows,
            "completions": replies,
            "completion_outcomes": [behind | {"completion_id": "completion-1"}],
            "teacher_rounds": [last],
        }
    )
    return rows


def finding(row, gate, rule, verdict):
    return {
        "row_id": row["row_id"],
        "gate": gate,
        "place": 0,
        "rule": rule,
        "version": "v",
        "verdict": verdict,
        "evidence": "{}",
        "gate_version": "v",
        "text_sha256": "x",
        "judged_at": datetime.now(UTC),
        "rehearsal": True,
    }


def test_what_no_gate_has_checked_has_no_count(store, settings):
    rows = raw_rows(store, 3)
    lines = text_of(settings, store).splitlines()
    told = {line[2:26].strip(): line[26:].strip() for line in lines if line.startswith("  ")}
    assert told["raw rows"] == "3"
    assert told["rejected"] == told["kept rows"] == "not checked yet"
    assert told["seed tasks"] == told["in the data set"] == "not made yet"
    assert "    It stopped before its goal: BIOINSTRUCT_MAX_USD is reached." in lines
    assert "    1 more are stored and stand behind none of the raw rows" in lines
    store.replace({"verdicts": [finding(rows[0], "quality", "refusal", "reject")]})
    lines = text_of(settings, store).splitlines()
    assert "  kept rows                     0" in lines  # true, because a row was checked
    assert "  No gate has checked 2 of the raw rows yet." in lines


def test_rows_of_the_set_that_a_gate_marked_or_did_not_check_are_counted(
    store, settings, dataset_rows
):
    place(store, settings, dataset_rows)
    store.replace(
        {
            "verdicts": [
                *(finding(row, "privacy", "mrn", "flag") for row in dataset_rows[:3]),
                *(finding(row, "privacy", "phone", "flag") for row in dataset_rows[:2]),
                finding(dataset_rows[4], "privacy", "placeholder_person", "flag"),
                *(finding(row, "novelty", "off", "keep") for row in dataset_rows),
                finding({"row_id": "gone"}, "privacy", "mrn", "flag"),
            ]
        }
    )
    text = text_of(settings, store)
    assert "privacy: 3 of the rows hold identifiers that the gate found and let stay" in text
    assert "mrn, phone" in text
    assert "privacy: 1 of the rows holds a person's name without any other" in text
    assert "novelty: the gate was off, so it did not check 60 of the rows." in text


def test_a_round_whose_replies_held_no_label_says_so(store, settings, dataset_rows):
    raw_rows(store, 1)
    last = store.rows("select * from teacher_rounds")[0]
    place(store, settings, dataset_rows)
    said = "No reply of the categorization round holds the label of a present row."
    assert said not in text_of(settings, store)
    store.replace({"teacher_rounds": [last | {"purpose": "categorization", "stopped": None}]})
    assert said in text_of(settings, store)


def test_a_data_set_that_is_not_made_is_not_said_to_be_somewhere(store, settings):
    store.replace({})
    assert "data set    not made yet" in text_of(settings, store)


def test_an_empty_store_claims_nothing(store, settings: Settings):
    store.replace({})
    text = text_of(settings, store)
    assert "is a rehearsal" not in text
    assert "$" not in text.split("\nNext\n")[0]


def test_the_report_says_where_the_pages_are(store, settings):
    store.replace({"seed_tasks": []})
    page = settings.store.data_dir / "review" / "review.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>", "utf-8")
    told = text_of(settings, store)
    assert f"  to review   {page}" in told
    assert "study_report.html" not in told
