"""The review page in a real browser, opened as a file: keys, reload, export, import, axe-core."""

import json
import shutil
from collections import Counter

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from bioinstruct_dagster.review.handed_in.filled_files import read_file
from bioinstruct_dagster.review.handed_in.judgements import FIELDS
from bioinstruct_dagster.review.page.rendered import review_page

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
HOSTILE = 'Explain </script><script>document.title="broken"</script> & <!-- "this" \u2028.'
in_a_browser = [
    pytest.mark.ui,
    pytest.mark.skipif(
        BROWSER is None, reason="no chromium or google-chrome here; `make browser` installs one"
    ),
]


def item(number, **changed):
    return {
        "id": f"row-{number:024x}-12345678",
        "instruction": f"Task number {number}.",
        "input": "",
        "output": f"Answer number {number}.",
        "near": {"what": "an earlier row", "text": "Another task."},
        "verdict": f"Rejected by the gate quality, rule rule_{number}.",
        "judged_by": [],
        "disputed": False,
    } | changed


def test_no_text_can_end_the_element_it_stands_in():
    text = review_page([item(1, instruction=HOSTILE)])
    data = text.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    assert json.loads(data)["items"][0]["instruction"] == HOSTILE
    assert text.count("</script>") == review_page([item(1)]).count("</script>")


@pytest.fixture(scope="module")
def chromium():
    """Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield browser
        browser.close()


class Reviewer:
    """A person at the page, who counts the keys that he or she presses."""

    def __init__(self, context, path):
        self.page = context.new_page()
        self.requests, self.faults, self.keys = [], [], 0
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(path.as_uri())

    def named(self, name):
        self.page.get_by_label("Your name or initials").fill(name)
        self.page.keyboard.press("Enter")
        return self

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def text(self, name):
        return self.page.locator(f"#{name}").text_content()

    def export(self, kind, folder):
        with self.page.expect_download() as started:
            self.page.get_by_role("button", name=f"Export {kind}").click()
        path = folder / started.value.suggested_filename
        started.value.save_as(path)
        return path


@pytest.fixture
def context(chromium):
    """A browser profile of this test alone."""
    made = chromium.new_context(viewport={"width": 1100, "height": 900})
    made.set_default_timeout(30_000)
    yield made
    made.close()


def page_file(folder, items, name="review.html"):
    path = folder / name
    path.write_text(review_page(items), "utf-8")
    return path


class TestInABrowser:
    """What a reviewer does at the page."""

    pytestmark = in_a_browser

    def test_rows_are_judged_by_one_or_two_keys_and_a_reload_keeps_them(self, context, tmp_path):
        path = page_file(tmp_path, [item(n) for n in range(20)])
        reviewer = Reviewer(context, path).named("AB")
        # Half of the rows are rejected: more than on any page.
        for number in range(20):
            assert reviewer.text("instruction") == f"Task number {number}."
            reviewer.press("2") if number % 2 else reviewer.press("r", "1")
        assert reviewer.text("count") == "20 of 20 rows judged"
        assert reviewer.keys == 30  # 1.5 keys a row
        reviewer.page.reload()
        assert reviewer.text("count") == "20 of 20 rows judged"
        assert reviewer.requests == [path.as_uri()] * 2
        assert reviewer.faults == []

    def test_the_verdict_is_hidden_until_the_row_is_judged(self, context, tmp_path):
        reviewer = Reviewer(context, page_file(tmp_path, [item(n) for n in range(3)])).named("AB")
        assert "Hidden" in reviewer.text("verdict")
        assert "rule_0" not in reviewer.page.locator("body").inner_text()
        reviewer.press("u")
        assert "rule_0" in reviewer.text("verdict")
        assert "rule_1" not in reviewer.page.locator("body").inner_text()

    def test_the_exported_files_are_read_by_the_asset_s_reader(self, context, tmp_path):
        reviewer = Reviewer(context, page_file(tmp_path, [item(n) for n in range(5)])).named("A. B")
        reviewer.press("c")
        reviewer.page.keyboard.type('=says "so", größer;')
        reviewer.press("Escape", "3", "r", "8", "a", "u")
        found = {}
        for kind in ("JSON", "CSV"):
            path = reviewer.export(kind, tmp_path)
            assert path.name == f"review-A-B.{kind.lower()}"
            found[kind] = read_file(path)
        assert [[getattr(one, name) for name in FIELDS] for one in found["JSON"]] == [
            [getattr(one, name) for name in FIELDS] for one in found["CSV"]
        ]
        first, second, third, last = found["JSON"]
        assert (first.decision, first.category) == ("accept", "generation")
        assert first.comment == '=says "so", größer;'
        assert (second.decision, second.reason) == ("reject", "other")
        assert (third.decision, third.category) == ("accept", None)
        assert last.decision == "unsure"
        assert {one.reviewer for one in found["CSV"]} == {"A. B"}

    def test_undo_moves_and_changes_after_the_verdict_are_told(self, context, tmp_path):
        reviewer = Reviewer(context, page_file(tmp_path, [item(n) for n in range(4)])).named("AB")
        reviewer.press("1", "1", "z")
        assert reviewer.text("count") == "1 of 4 rows judged"
        assert reviewer.text("place").startswith("Row 2 of 4")
        reviewer.press("4", "p", "ArrowLeft")
        assert reviewer.text("place").startswith("Row 1 of 4")
        reviewer.press("r", "Escape", "r", "4", "n", "o")
        found = read_file(reviewer.export("JSON", tmp_path))
        assert [(one.decision, one.changed_after_verdict) for one in found] == [
            ("reject", True),
            ("accept", True),  # judged, undone and judged again
        ]

    def test_undo_keeps_the_comment_and_says_that_the_verdict_was_shown(self, context, tmp_path):
        reviewer = Reviewer(context, page_file(tmp_path, [item(n) for n in range(2)])).named("AB")
        reviewer.press("c")
        reviewer.page.keyboard.type("Dose is missing.")
        reviewer.press("Escape", "r", "1")
        assert "The row before: Rejected" in reviewer.text("verdict")
        reviewer.press("z")
        for _ in range(2):  # also after a reload
            assert reviewer.page.locator("#comment").input_value() == "Dose is missing."
            assert "has shown it" in reviewer.text("verdict")
            reviewer.page.reload()
        reviewer.press("1", "p", "r", "1", "z")  # a second judgement of the row is undone
        [found] = read_file(reviewer.export("JSON", tmp_path))
        assert (found.decision, found.comment) == ("accept", "Dose is missing.")
        assert found.changed_after_verdict

    @pytest.mark.parametrize("kind", ["JSON", "CSV"])
    def test_a_half_done_review_goes_on_in_another_browser(self, context, chromium, tmp_path, kind):
        path = page_file(tmp_path, [item(n) for n in range(4)])
        reviewer = Reviewer(context, path).named("AB")
        reviewer.press("1", "r", "2")
        half = reviewer.export(kind, tmp_path)
        with chromium.new_context() as other:
            again = Reviewer(other, path)
            again.page.get_by_label("Import a file").set_input_files(half)
            expect(again.page.locator("#count")).to_have_text("2 of 4 rows judged")
            assert again.page.get_by_label("Your name or initials").input_value() == "AB"
            again.press("2", "2")
            done = read_file(again.export("JSON", tmp_path))
        assert Counter(one.decision for one in done) == {"accept": 3, "reject": 1}

    def test_a_new_page_with_more_rows_keeps_judgements_and_asks_no_row_again(
        self, context, tmp_path
    ):
        rows = [item(n) for n in range(3)]
        reviewer = Reviewer(context, page_file(tmp_path, rows)).named("AB")
        reviewer.press("1")
        handed_in = item(1, judged_by=["AB"])
        second = item(2, judged_by=["CD"])
        disputed = item(3, judged_by=["CD", "EF"], disputed=True)
        grown = [rows[0], handed_in, second, disputed, item(4)]
        reviewer = Reviewer(context, page_file(tmp_path, grown, "new.html"))
        assert reviewer.text("count") == "1 of 4 rows judged"
        seen = []
        for _ in range(3):
            seen.append(reviewer.text("instruction"))
            reviewer.press("1")
        assert seen == ["Task number 3.", "Task number 4.", "Task number 2."]

    def test_without_a_name_nothing_is_judged_and_keys_can_be_turned_off(self, context, tmp_path):
        reviewer = Reviewer(context, page_file(tmp_path, [item(1), item(2)]))
        reviewer.press("1")
        assert "name or initials first" in reviewer.text("message")
        assert reviewer.text("count") == "0 of 2 rows judged"
        reviewer.named("AB")
        reviewer.page.get_by_label("keys on").uncheck()
        reviewer.press("1")
        assert reviewer.text("count") == "0 of 2 rows judged"
        reviewer.page.get_by_role("button", name="generation").click()
        assert reviewer.text("count") == "1 of 2 rows judged"

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_core_finds_nothing(self, chromium, tmp_path, scheme):
        path = page_file(tmp_path, [item(1, instruction=HOSTILE), item(2)])
        with chromium.new_context(color_scheme=scheme) as context:
            reviewer = Reviewer(context, path).named("AB")
            reviewer.press("1", "r")  # the verdict is shown, and the reasons are open
            found = Axe().run(reviewer.page, options={}).response["violations"]
            assert [(one["id"], one["nodes"]) for one in found] == []
            assert reviewer.page.title() == "Review of instruction rows"
            assert reviewer.page.get_by_role("button", name="not biomedical").is_visible()
