"""Bringing a store up to date gives the same result as checking all rows from scratch."""

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioinstruct_dagster.curation.curate_rows import curate_raw_rows
from bioinstruct_dagster.curation.curate_store import curate
from bioinstruct_dagster.curation.gates import Finding, GateResult
from bioinstruct_dagster.curation.novelty.methods import ROUGE, NoveltyMethod
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.quality.gate import QualityGate
from bioinstruct_dagster.store.database import Store

SEEDS = [NamedInstruction("seed-1", "Name the antidote for a paracetamol overdose in adults.")]
KEPT_ROWS = """
    select row_id, ordinal, instruction, input, output, repaired, flags, rehearsal
    from deduplicated_instructions order by ordinal
"""
REJECTED_ROWS = "select row_id, ordinal, gate, reason from rejected_instructions order by ordinal"


class NamedGate:
    """A gate that drops rows whose output holds one word."""

    def __init__(self, name="privacy", word="secret"):
        self.name, self.word = name, word
        self.checked = 0

    @property
    def version(self):
        return f"{self.word}"

    @property
    def made_of(self):
        return {"word": self.word}

    def check(self, rows_to_check):
        self.checked += len(rows_to_check)
        drop = GateResult((Finding("word", "1", "reject"),))
        keep = GateResult((Finding("nothing", "1", "keep"),))
        return [drop if self.word in row.output else keep for row in rows_to_check]


def raw_row(ordinal, instruction, output="An answer."):
    return {
        "row_id": f"row-{ordinal:04d}",
        "ordinal": ordinal,
        "position": ordinal,
        "source": "completion",
        "instruction": instruction,
        "input": "N/A" if ordinal % 7 == 3 else "",
        "output": output,
        "rehearsal": False,
    }


def rows(n, seed=0):
    """Rows in clusters of paraphrases, some odd, some in other scripts, some short."""
    draw = random.Random(seed)
    words = [f"word{number}" for number in range(60)]
    stems = [[draw.choice(words) for _ in range(draw.randint(5, 14))] for _ in range(n // 4 + 1)]
    made = []
    for ordinal in range(n):
        text = list(draw.choice(stems))
        for _ in range(draw.randint(0, 3)):
            text[draw.randrange(len(text))] = draw.choice(words)
        instruction = "Explain " + " ".join(text)
        odd = draw.random()
        if odd < 0.05:
            instruction = "Too short."
        elif odd < 0.1:
            instruction = f"Explain this to me 高血压的治疗方案 {draw.choice('一二三四')} 血圧"
        elif odd < 0.13:
            instruction = SEEDS[0].instruction
        made.append(raw_row(ordinal, instruction, draw.choice(["An answer.", "a secret", "open"])))
    return made


QUALITY_GATE = QualityGate()
METHODS = [ROUGE, NoveltyMethod("rouge", 0.5), NoveltyMethod("exact"), NoveltyMethod("off")]


def gates():
    return [QUALITY_GATE, NamedGate("privacy", "secret"), NamedGate("contamination", "leak")]


def from_scratch(raw, used, novelty=ROUGE):
    found = curate_raw_rows(raw, SEEDS, used, novelty)
    rejected = [
        {name: row[name] for name in ("row_id", "ordinal", "gate", "reason")}
        for row in found.rejected
    ]
    return found.kept, rejected


def brought_up_to_date(store, raw, used, novelty=ROUGE):
    store.replace({"raw_instructions": raw})
    done = curate(store, SEEDS, used, lambda _: None, novelty=novelty)
    return store.rows(KEPT_ROWS), store.rows(REJECTED_ROWS), done.checked


def test_the_store_says_what_the_gates_in_memory_say(store):
    raw = rows(300)
    kept, rejected, checked = brought_up_to_date(store, raw, gates())
    assert (kept, rejected) == from_scratch(raw, gates())
    assert {row["gate"] for row in rejected} == {"quality", "privacy", "novelty"}
    assert checked["quality"] == checked["privacy"] == checked["contamination"] == 300


def test_nothing_is_checked_twice(store):
    raw = rows(60)
    brought_up_to_date(store, raw, gates())
    before = store.rows("select * from verdicts order by all")
    _, _, checked = brought_up_to_date(store, raw, gates())
    assert set(checked.values()) == {0}
    assert store.rows("select * from verdicts order by all") == before
    assert store.rows("select * from superseded_verdicts") == []


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changes_end_like_a_check_of_everything(data, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("course") / "bioinstruct.duckdb", timeout=10)
    everything = rows(80, seed=data.draw(st.integers(0, 3)))
    for row in everything:
        row["input"] = data.draw(st.sampled_from(["", "Adults.", "adults"]))
    for _ in range(3):
        present = data.draw(st.lists(st.sampled_from(range(80)), unique=True, min_size=1))
        raw = [
            everything[number] | {"ordinal": place, "position": place}
            for place, number in enumerate(present)
        ]
        used = gates()
        used[1].word = data.draw(st.sampled_from(["secret", "open", "never"]))
        novelty = data.draw(st.sampled_from(METHODS))
        kept, rejected, _ = brought_up_to_date(store, raw, used, novelty)
        assert (kept, rejected) == from_scratch(raw, used, novelty)
        kept, rejected, checked = brought_up_to_date(store, raw, used, novelty)
        assert (kept, rejected) == from_scratch(raw, used, novelty)
        assert set(checked.values()) == {0}


def test_another_method_or_threshold_checks_novelty_alone(store):
    raw = [
        raw_row(n, "Explain to the patient what it means.") | {"input": f"Sign {n % 5}."}
        for n in range(10)
    ]
    found = []
    for novelty in [
        ROUGE,
        NoveltyMethod("exact"),
        NoveltyMethod("off"),
        NoveltyMethod("rouge", 1 - 1e-9),
    ]:
        kept, _, checked = brought_up_to_date(store, raw, gates(), novelty)
        found.append((len(kept), checked["quality"], checked["novelty"]))
    assert found == [(1, 10, 10), (5, 0, 10), (10, 0, 10), (1, 0, 10)]
    said = store.rows("select distinct rule from superseded_verdicts where gate = 'novelty'")
    assert {row["rule"] for row in said} == {"novel", "repeats_kept_row", "off"}


def test_a_repeat_by_the_rule_exact_is_explained(store):
    raw = [raw_row(0, "Say what it means.", "Iron."), raw_row(1, "say what it means", "Copper.")]
    brought_up_to_date(store, raw, gates(), NoveltyMethod("exact"))
    [said] = store.rows("select rule, score, evidence from verdicts where verdict = 'reject'")
    assert (said["rule"], said["score"]) == ("repeats_kept_row", 1.0)
    assert json.loads(said["evidence"]) == {
        "measure": "exact",
        "nearest_id": "row-0000",
        "output": "differs",
    }


def test_added_rows_are_checked_and_no_other(store):
    raw = rows(120)
    brought_up_to_date(store, raw[:100], gates())
    before = store.rows("select * from verdicts order by all")
    _, _, checked = brought_up_to_date(store, raw, gates())
    assert checked["quality"] == checked["privacy"] == 20
    assert checked["novelty"] <= 20
    after = store.rows("select * from verdicts order by all")
    assert all(verdict in after for verdict in before)


def test_a_changed_rule_rechecks_its_gate_and_later_novelty(store):
    raw = [raw_row(n, f"Explain the sign number {n} of disease {n * 7}") for n in range(10)]
    raw[6]["output"] = "private"
    brought_up_to_date(store, raw, gates())
    used = gates()
    used[1].word = "private"
    kept, rejected, checked = brought_up_to_date(store, raw, used)
    assert checked["quality"] == checked["contamination"] == 0
    assert checked["privacy"] == 10
    assert checked["novelty"] <= 3
    assert (kept, rejected) == from_scratch(raw, used)


def test_another_seed_checks_novelty_anew(store):
    raw = rows(40)
    brought_up_to_date(store, raw, gates())
    store.replace({"raw_instructions": raw})
    more = [*SEEDS, NamedInstruction("seed-2", raw[0]["instruction"])]
    done = curate(store, more, gates(), lambda _: None)
    assert done.checked["novelty"] > 0
    assert "repeats_seed" in {row["reason"] for row in store.rows(REJECTED_ROWS)}


def test_a_lost_index_is_made_anew(store):
    raw = rows(80)
    kept, rejected, _ = brought_up_to_date(store, raw, gates())
    store.replace({"novelty_signatures": []})
    assert brought_up_to_date(store, raw, gates())[:2] == (kept, rejected)
    [found] = store.rows("select count(distinct row_id) as n from novelty_signatures")
    assert found["n"] == len(kept)


def test_a_kill_between_two_writes_loses_only_work(store, monkeypatch):
    raw = rows(80)
    brought_up_to_date(store, raw[:50], gates())

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("bioinstruct_dagster.curation.novelty.gate.write_change", killed)
    with pytest.raises(KeyboardInterrupt):
        brought_up_to_date(store, raw, gates())
    monkeypatch.undo()
    kept, rejected, checked = brought_up_to_date(store, raw, gates())
    assert (kept, rejected) == from_scratch(raw, gates())
    assert checked["quality"] == 0


def test_a_rejected_row_names_its_nearest_row_and_score(store):
    texts = [f"Please explain to me 高血压的治疗方案和药物 {number}" for number in "一二"]
    raw = [raw_row(place, text) for place, text in enumerate(texts)]
    brought_up_to_date(store, raw, [QualityGate()])
    [said] = store.rows(
        "select row_id, rule, score, evidence ->> 'nearest_id' as nearest_id, "
        "evidence ->> 'measure' as measure from verdicts "
        "where gate = 'novelty' and verdict = 'reject'"
    )
    assert said["nearest_id"] == "row-0000"
    assert said["score"] > 0.7
