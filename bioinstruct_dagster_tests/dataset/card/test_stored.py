"""The facts of a card are counted from the tables of a store."""

from datetime import UTC, datetime

import pytest

from bioinstruct_dagster.dataset.card import render_card
from bioinstruct_dagster.dataset.card.stored import card_of
from bioinstruct_dagster.generation.series.prompts import TEMPLATE_ID, template
from bioinstruct_dagster_tests.dataset.placing import place

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def completion(number, **changes):
    return {
        "completion_id": f"completion-{number}",
        "purpose": "generation",
        "teacher": "openai",
        "rehearsal": False,
        "model_asked": "gpt-x",
        "model_answered": "gpt-x-2026",
        "parameters": "{}",
        "messages": "[]",
        "reply_format": "json_schema",
        "template_id": TEMPLATE_ID,
        "template_sha256": template("json_schema", controlled=True).sha256,
        "draw": 0,
        "seed_ids": [],
        "content": "",
        "service": "online",
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "usd": 0.01,
        "requested_at": NOON,
        "completed_at": NOON.replace(hour=12 + number % 10),
    } | changes


def verdict(row_id, gate, verdict="keep", rule="clean", evidence="{}", place=0):
    return {
        "row_id": row_id,
        "gate": gate,
        "place": place,
        "rule": rule,
        "version": "v",
        "verdict": verdict,
        "evidence": evidence,
        "gate_version": "g1",
        "text_sha256": "t",
        "judged_at": NOON,
        "rehearsal": False,
    }


@pytest.fixture
def filled(store, settings, dataset_rows, hugging_face):
    """A store of 60 generated rows, which one rejected row and a judge's reply stand beside."""
    rows = [row | {"rehearsal": False, "labelled_by": "teacher:gpt-x"} for row in dataset_rows]
    place(store, settings, rows)
    made_of = '{"action": "reject", "items": {"medqa": 100, "bioasq": 0}, "missing": ["bioasq"]}'
    store.replace(
        {
            "completions": [
                *(completion(number) for number in range(12)),
                completion(20, purpose="categorization", usd=None),
                completion(21, purpose="judging", usd=5.0),
                # Replies for an earlier set in this store.
                completion(22, usd=7.0),
                completion(23, purpose="categorization", usd=7.0),
            ],
            "completion_outcomes": [
                {"completion_id": f"completion-{n}", "outcome": "parsed", "tasks": 5, "dropped": 0,
                 "detail": ""}
                for n in range(12)
            ],
            "category_labels": [
                {"label_key": f"key-{n}", "instruction": text, "category": "other",
                 "teacher": "openai", "model": "gpt-x", "completion_id": f"completion-{n}",
                 "pass": 1}
                for n, text in ((20, rows[0]["instruction"]), (23, "Another set's task."))
            ],
            "presumed_spend": [
                {"reservation_id": "a", "completion_id": "b", "usd": 0.5, "tokens": 9,
                 "rehearsal": False, "reserved_at": NOON},
            ],
            "gate_versions": [
                {"gate": gate, "version": "g1", "made_of": made_of, "first_used_at": NOON}
                for gate in ("privacy", "contamination")
            ],
            "verdicts": [
                *(verdict(row["row_id"], gate) for row in rows[2:]
                  for gate in ("privacy", "contamination")),
                verdict("gone", "contamination", "reject", "ngram", '{"task": "medqa"}'),
                verdict("gone", "privacy", "reject", "mrn"),
                verdict("gone", "privacy", "reject", "date", place=1),
                verdict(rows[0]["row_id"], "privacy", "flag", "placeholder_person"),
                verdict(rows[1]["row_id"], "contamination", "flag", "ngram", '{"task": "medqa"}'),
            ],
        }
    )  # fmt: skip
    return store, rows


def facts(filled, **changes):
    store, rows = filled
    return card_of(store, **{"rows": rows, "split_by": "instruction", "licence": ""} | changes)


def test_requests_are_counted_by_purpose_without_the_judge(filled):
    generation, labels = facts(filled).stored.requests
    assert (generation.purpose, generation.replies) == ("generation", 12)
    assert generation.teacher == "openai: gpt-x-2026"
    assert generation.usd == pytest.approx(0.12)
    assert generation.prompt_tokens == 1200
    assert (generation.first.hour, generation.last.hour) == (12, 21)
    assert (labels.usd, labels.unpriced) == (None, 1)


def test_requests_of_the_rehearsal_that_made_nothing_of_the_set_are_not_listed(filled):
    store, rows = filled
    texts = rows[0]["instruction"]
    rehearsed = {"teacher": "rehearsal", "rehearsal": True, "model_answered": "recorded"}
    store.replace({"completions": [
        *store.rows("from completions"),
        completion(30, purpose="categorization", **rehearsed),
        completion(31, purpose="probe", **rehearsed),
        completion(32, purpose="quality_check", **rehearsed),
        completion(33, purpose="quality_check"),
    ]})  # fmt: skip
    # An earlier rehearsal asked for the category of a row that another teacher has labelled since.
    store.replace({"category_labels": [
        *store.rows("from category_labels"),
        {"label_key": "key-30", "instruction": texts, "category": "other", "teacher": "rehearsal",
         "model": "recorded", "completion_id": "completion-30", "pass": 1}
    ]})  # fmt: skip
    found = [(one.purpose, one.rehearsal) for one in facts(filled).stored.requests]
    assert sorted(found) == [
        ("categorization", False), ("generation", False), ("quality_check", False)
    ]  # fmt: skip
    [labelled] = store.rows("from categorized_instructions limit 1")
    others = store.rows("from categorized_instructions offset 1")
    store.replace({"categorized_instructions": [labelled | {"rehearsal": True}, *others]})
    found = [(one.purpose, one.rehearsal) for one in facts(filled).stored.requests]
    assert ("probe", True) in found


def test_prompts_are_those_behind_the_rows(filled):
    (prompt,) = facts(filled).stored.prompts
    assert prompt.rows == 60
    assert "to this plan" in prompt.user


def test_findings_of_gates_are_counted_by_kind_and_by_task(filled):
    stored = facts(filled).stored
    assert stored.privacy.rejected == {"mrn": 1, "date": 1}
    assert stored.privacy.rejected_rows == 1
    assert stored.privacy.flagged == {"placeholder_person": 1}
    assert stored.privacy.checked == 60
    assert stored.contamination.rejected == {"medqa": 1}
    assert stored.contamination.flagged == {"medqa": 1}
    assert stored.contamination.settings["missing"] == ["bioasq"]


def test_the_card_shows_them(filled):
    text = render_card(facts(filled), filled[1], {"train": 60}, "f" * 64)
    for said in (
        "| new rows | openai: gpt-x-2026 | 2026-03-01 | 12 | 1,200 | 600 | $0.12 |",
        "| categories | openai: gpt-x-2026 | 2026-03-01 | 1 | 100 | 50 | unknown |",
        "The price of 1 reply is not known.",
        "1 request got no reply and may have been billed, at most $0.5.",
        "| medqa | 100 | 1 | 1 |",
        "Not at hand, so not compared: bioasq.",
        "- contamination: the rows were not compared with 1 evaluation set that",
        "| mrn | 1 | 0 | 0 |",
        "user: Write {count} new biomedical or clinical tasks",
        "No licence has been chosen",
    ):
        assert said in text, said
    assert "$5" not in text
    assert "$7" not in text


def test_a_store_without_verdicts_claims_no_gate(store, settings, dataset_rows, hugging_face):
    place(store, settings, dataset_rows)
    card = card_of(store, rows=dataset_rows, split_by="instruction", licence="mit")
    text = render_card(card, dataset_rows, {"train": 60}, "f" * 64)
    for section in ("## Contamination", "## Personal data", "## Requests", "## Prompt"):
        assert section not in text
    assert "license: mit" in text
