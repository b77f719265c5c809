"""Why a row is in the data set or not: the row, what each gate found, and what follows from it.

Belongs here: the lines that the command `why` prints. Does not: reading the findings
(curation.verdicts), or the command itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.curation.verdicts import findings_of_row
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import canonical_json

ROW = """
    select raw.*, kept.row_id is not null as is_kept, coalesce(kept.repaired, []) as repaired,
        coalesce(review.category, labelled.category) as category,
        coalesce(review.labelled_by, labelled.labelled_by) as labelled_by, placed.split,
        review.decision, coalesce(review.excluded, false) as excluded, review.reason as why_rejected
    from raw_instructions as raw
    left join deduplicated_instructions as kept using (row_id)
    left join categorized_instructions as labelled using (row_id)
    left join hf_dataset as placed using (row_id)
    left join review_results as review using (row_id)
    where raw.row_id = $row_id
"""
TEXTS = ("instruction", "input", "output")
# What a user can do about a rejection, by gate.
REMEDIES = {
    "quality": (
        "If the rule is wrong for your set, change or remove it in data/quality_rules.yaml "
        "(BIOINSTRUCT_QUALITY_RULES)."
    ),
    "privacy": (
        "If the found text identifies no person, set BIOINSTRUCT_PRIVACY=flag. To keep such rows "
        "with the identifiers replaced, set BIOINSTRUCT_PRIVACY=redact."
    ),
    "contamination": (
        "The row would spoil scores on the item of the evaluation set that it repeats. To keep "
        "such rows with a mark, set BIOINSTRUCT_CONTAMINATION=flag."
    ),
    "novelty": (
        "If the two rows are different tasks for you, raise BIOINSTRUCT_NOVELTY_THRESHOLD or set "
        "BIOINSTRUCT_NOVELTY=exact."
    ),
}
AGAIN = "Then materialize key:deduplicated_instructions again."
UNCHECKED = "No gate has checked this row yet. Materialize key:deduplicated_instructions."


def explanation(store: Store, row_id: str) -> Iterator[str]:
    """The lines that explain a row.

    Args:
        store: the store with the row.
        row_id: the row's id.

    Yields:
        The row, each finding in the order of the gates, and the conclusion.

    Raises:
        UnknownRowError: no raw row has this id.
    """
    findings = findings_of_row(store, row_id)
    row = store.rows(ROW, {"row_id": row_id})[0]
    yield f"row {row_id}, ordinal {row['ordinal']} in raw_instructions ({row['source']})"
    yield from _texts(row, findings)
    yield ""
    for found in findings:
        score = "" if found["score"] is None else f" {found['score']:.3f}"
        evidence = canonical_json(found["evidence"]) if found["evidence"] else ""
        yield f"{found['gate']:<14}{found['verdict']:<8}{found['rule']}{score} {evidence}".rstrip()
    if findings:
        yield ""
    yield conclusion(row, findings)


def conclusion(row: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> str:
    """Whether the row is kept, which gate and rules decided that, and what to do.

    Args:
        row: a row of the query ROW.
        findings: its findings, in the order of the gates.
    """
    if not findings:
        return UNCHECKED
    rejected = [one for one in findings if one["verdict"] == "reject"]
    if rejected:
        gate = rejected[0]["gate"]
        rules = list(dict.fromkeys(one["rule"] for one in rejected if one["gate"] == gate))
        others = list(dict.fromkeys(one["gate"] for one in rejected if one["gate"] != gate))
        also = f" The gate {' and the gate '.join(others)} rejected it too." if others else ""
        return (
            f"Rejected by the gate {gate}, rule{'s' * (len(rules) > 1)} {', '.join(rules)}, which "
            "is the first gate above with the verdict reject. "
            f"{REMEDIES[gate]}{also} {AGAIN}{_accepted(row)}"
        )
    parts = ["Kept: no gate rejected the row."]
    if row["repaired"]:
        parts.append(f"A gate repaired its {' and '.join(row['repaired'])}.")
    if flags := [one for one in findings if one["verdict"] == "flag"]:
        named = ", ".join(dict.fromkeys(f"{one['gate']}: {one['rule']}" for one in flags))
        parts.append(f"It is marked ({named}). Read it before you publish the set.")
    if row["excluded"]:
        return " ".join([*parts, _taken_out(row)])
    if row["category"]:
        parts.append(f"Its category is {row['category']}, by {row['labelled_by']}.")
    if row["split"]:
        parts.append(f"It is in the data set, in the split {row['split']}.")
    elif row["is_kept"]:
        parts.append("It is not in the data set yet. Materialize key:hf_dataset.")
    else:
        parts.append(
            "It is not in deduplicated_instructions yet. Materialize key:deduplicated_instructions."
        )
    return " ".join(parts)


def _accepted(row: Mapping[str, Any]) -> str:
    if row["decision"] != "accept":
        return ""
    return " Reviewers accept the row. That counts against the gate, but the row stays out."


def _taken_out(row: Mapping[str, Any]) -> str:
    """What reviewers decided about a row that every gate kept, and what to do about it."""
    if row["decision"] == "disputed":
        return (
            "Reviewers contradict each other, so it is not in the data set: see the view "
            "review_adjudication. A third reviewer decides. Then materialize key:review_results "
            "and key:hf_dataset."
        )
    return (
        f"But reviewers reject it ({row['why_rejected']}), so it leaves the data set when "
        "key:hf_dataset is materialized. If they are wrong, correct the filled-in file in "
        "review/filled. Then materialize key:review_results and key:hf_dataset."
    )


def _texts(row: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The row's texts, without what the privacy gate found."""
    private = [one for one in findings if one["gate"] == "privacy"]
    if not private:
        yield "  Its texts are not shown, because the privacy gate has not checked them."
        return
    for field in TEXTS:
        text = row[field]
        spans = {
            (span["start"], span["end"], one["rule"])
            for one in private
            for span in one["evidence"].get("found", [])
            if span["field"] == field
        }
        for start, end, rule in sorted(spans, reverse=True):
            text = f"{text[:start]}[{rule}]{text[end:]}"
        yield f"  {field}: {' '.join(text.split()) or '(empty)'}"
