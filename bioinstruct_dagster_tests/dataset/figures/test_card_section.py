"""The card's section of figures goes to its place, once."""

from bioinstruct_dagster.dataset.figures.card_section import figures_section, with_figures
from bioinstruct_dagster.dataset.imperatives.diversity import verb_diversity

CARD = "# Set\n\n## Lengths\n\nlong\n\n## Where the rows come from\n\n- here\n"
VERBS = verb_diversity([{"instruction": "List the drugs.", "input": "", "output": ""}] * 4)


def test_the_section_shows_figures_and_verbs():
    text = figures_section(VERBS, [("Root verbs", "figures/dataset_verbs.png", "All of them.")])
    assert text.startswith("## Figures\n\n![Root verbs](figures/dataset_verbs.png)\n\nAll of them.")
    assert "| list | 4 | 100.0 % | drug |" in text


def test_the_section_replaces_an_earlier_one_and_changes_nothing_else():
    first = with_figures(CARD, figures_section(VERBS, [("A", "a.png", "One.")]))
    second = with_figures(first, figures_section(VERBS, [("B", "b.png", "Two.")]))
    assert second.count("## Figures") == 1
    assert "a.png" not in second
    assert second.index("## Lengths") < second.index("## Figures") < second.index("## Where")
    assert with_figures(second, "") == CARD
    assert with_figures("# Set\n", "## Figures\n\nx\n\n") == "# Set\n\n## Figures\n\nx\n"
