"""The benchmark of the composite on a small file of made-up human scores."""

import json

from benchmarks.composite import main

FINDINGS = ("fever", "cough", "asthma", "gout", "migraine", "anemia", "psoriasis", "glaucoma")


def test_the_report_sets_the_composite_beside_the_other_scores(tmp_path, capsys):
    rows = []
    for first, name in enumerate(FINDINGS):
        others = FINDINGS[first + 1 :] + FINDINGS[:first]
        source = f"Doctor: Any problems?\nPatient: I have {name}, {others[0]} and {others[1]}."
        reference = f"{name}, {others[0]}, {others[1]}."
        for right in range(4):
            said = [name, *others[:2]][:right] + list(others[2 : 5 - right])
            rows.append(
                {
                    "dialogue": source,
                    "reference": reference,
                    "summary": f"{', '.join(said)}.",
                    "factual_f1": right / 3,
                    "factual_precision": right / 3,
                }
            )
    path = tmp_path / "scores.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert main([str(path), "--no-write", "--resamples", "20"]) == 0
    printed = capsys.readouterr().out
    assert "32 summaries of 8 dialogues; 24 have a factual error" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("| **composite**")]
    figures = [cell.split()[0] for cell in line.strip("| ").split(" | ")[1:]]
    assert figures[0] == figures[2] == figures[3] == "1.00"
    for rival in ("ROUGE-1", "ROUGE-L", "minus the reference's length", "both lengths, fitted"):
        assert f"| {rival}" in printed
    assert "Cross-validated" in printed
    assert "the reference itself 1.00" in printed
