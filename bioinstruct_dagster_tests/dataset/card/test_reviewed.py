"""The card says what reviewers found, from the tables of the review."""

from datetime import UTC, datetime

from bioinstruct_dagster.dataset.card.reviewed import stored_review


def judged(row_id, **change):
    return {
        "row_id": row_id, "item_id": row_id, "stratum": "kept, other", "gate": None,
        "decision": "accept", "reason": None, "category": "other", "category_before": "other",
        "labelled_by": "human:ann", "reviewers": ["ann", "ben"], "excluded": False,
        "wrongly_rejected": False, "needs_adjudication": False, "rehearsal": False,
    } | change  # fmt: skip


def judgement(row_id, reviewer, day):
    return {
        "item_id": row_id, "row_id": row_id, "reviewer": reviewer, "decision": "accept",
        "category": None, "reason": None, "comment": "",
        "judged_at": datetime(2026, 11, day, tzinfo=UTC),
        "changed_after_verdict": False, "state": "current", "place": "ann.json",
    }  # fmt: skip


def measure(figure, subject, value, low, high):
    return {
        "figure": figure, "subject": subject, "value": value, "ci_low": low, "ci_high": high,
        "judged": 40, "population": 382, "not_covered": 0, "note": "",
    }  # fmt: skip


def test_without_a_review_the_card_has_no_section(store):
    store.replace({"review_results": []})
    assert not stored_review(store)


def test_the_review_is_told_with_its_intervals(store):
    store.replace(
        {
            "review_results": [
                judged("a"),
                judged("b", excluded=True, decision="reject"),
                judged("c", category="generation"),
            ],
            "review_judgements": [judgement("a", "ann", 28), judgement("a", "ben", 29)],
            "review_measures": [
                measure("defect_rate", "all kept rows", 0.05, 0.01, 0.16),
                measure("defect_rate", "kept, other", 0.5, 0.1, 0.9),
                measure("kappa_decision", "ann and ben", 0.8, None, None),
            ],
        }
    )
    text = stored_review(store)
    assert "2 people judged 3 rows" in text
    assert "2026-11-28 to 2026-11-29" in text
    assert "| kept rows that reviewers reject | 5.0 % | 1.0 % to 16.0 % | 40 |" in text
    assert "kept, other" not in text
    assert "| accept or reject (ann and ben) | 0.80 |" in text
    assert "1 row that they rejected left the set." in text
    assert "1 row got the category that they gave." in text
