"""The whole report: what is missing is said, each number has its SQL, and a browser opens it."""

import re
import shutil
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from bioinstruct_dagster.findings.__main__ import main
from bioinstruct_dagster.findings.made import FINDINGS, Sources, table_columns
from bioinstruct_dagster.findings.study_report.blocks import (
    NumberSource,
    ReportFigure,
    ReportNote,
    ReportSection,
    ReportTable,
    ReportText,
)
from bioinstruct_dagster.findings.study_report.page import (
    FILE_NAME,
    MOST_BYTES,
    is_number,
    narrowest,
    of_numbers,
    page,
    small_page,
    with_own_ids,
    write_report,
)
from bioinstruct_dagster.findings.study_report.sources import ReportSources
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.findings.made_study import OLD, STUDY_FILE, Study

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
QA, IE = "question_answering", "extraction"
SECTIONS = ["answer", "data-set", "training", "scores", "ablation", "scaling", "cost", "examples",
            "limits"]  # fmt: skip


def chances(qa, ie):
    return {(QA, "medqa"): (0.4, qa), (QA, "medmcqa"): (0.4, qa), (IE, "mednli"): (0.4, ie)}


def studied(store, **options):
    study = Study(store, **options)
    study.add("question_answering", chances(0.62, 0.4), {"all": (2.0, 1.8), QA: (2.0, 1.7)})
    study.add("information_extraction", chances(0.4, 0.6), {"all": (2.0, 1.9), QA: (2.0, 1.9)})
    study.add("all-100", chances(0.45, 0.45), {"all": (2.0, 1.9)}, rows=100)
    study.add("all", chances(0.62, 0.5), {"all": (2.0, 1.6)}, rows=400)
    return study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the experiment file of the study."""
    made = tmp_path_factory.mktemp("study")
    (made / "study.yaml").write_text(STUDY_FILE, "utf-8")
    return made


def report_of(folder, name, fill):
    """The report of a store that a function fills, and the store."""
    settings = Settings.of(data_dir=folder / name, experiments=folder / "study.yaml")
    store = Store(settings.store.path)
    store.replace({})
    fill(store)
    matrix = read_experiments(settings.models.experiments)
    findings = Sources.of(store, settings, matrix)
    for table, finding in FINDINGS.items():
        columns = table_columns(store, table)
        store.replace(
            {table: [{name: row[name] for name in columns} for row in finding.rows(findings)]}
        )
    return write_report(ReportSources.of(store, settings, matrix)), store


@pytest.fixture(scope="module")
def of_study(folder):
    """The report of a study on real items, and its store."""
    return report_of(folder, "real", lambda store: studied(store).save())


@pytest.fixture(scope="module")
def of_rehearsal(folder):
    """The report of a rehearsal, one of whose experiments is of an older data set."""

    def fill(store):
        study = Study(store, source="fixture", rehearsal=True)
        study.add("all", chances(0.62, 0.5), {"all": (2.0, 1.6)}, rows=400)
        study.add("another", chances(0.5, 0.5), rows=9, dataset=OLD).save()

    return report_of(folder, "rehearsal", fill)[0]


def notes(report, about):
    return [
        block.text
        for section in report.sections
        for block in section.blocks
        if isinstance(block, ReportNote) and block.about == about
    ]


def test_an_empty_store_gives_a_report_that_says_what_to_run(folder):
    report, _ = report_of(folder, "empty", lambda _: None)
    assert report.path == folder / "empty" / "reports" / FILE_NAME
    assert [one.anchor for one in report.sections] == SECTIONS
    missing = " ".join(report.missing)
    for words in ("No answer yet", "No data set", "No adapter", "No scores", "No ablation",
                  "No scaling curve", "No training time", "No examples"):  # fmt: skip
        assert words in missing
    assert "experiments: [" in missing  # the command that scores a design
    assert "rehearsal" not in report.path.read_text("utf-8").split("</title>")[0]


def test_the_report_of_a_study_holds_its_numbers_with_the_sql_that_yields_them(of_study):
    report, store = of_study
    assert report.summary.startswith("tiny, trained on 400 instructions of all categories")
    assert not notes(report, "rehearsal")
    assert "is a quotation" in " ".join(notes(report, "quoted"))
    sources = [
        block.source
        for section in report.sections
        for block in section.blocks
        if isinstance(block, ReportTable | ReportFigure) and block.source
    ]
    assert len(sources) >= 9
    for source in sources:
        assert store.rows(source.sql), source.sql
    html = report.path.read_text("utf-8")
    assert html.count('<details class="sql">') == len(sources)
    assert html.count("<figure>") == html.count("<svg ") == html.count('role="img"') == 4
    assert report.size < MOST_BYTES


def test_a_rehearsal_and_older_scores_are_marked_and_no_quotation_stands_beside(of_rehearsal):
    assert not notes(of_rehearsal, "quoted")
    html = of_rehearsal.path.read_text("utf-8")
    assert "<title>Study report (rehearsal)</title>" in html
    assert "REHEARSAL, not a result" in html
    assert "Fixture items: " in " ".join(notes(of_rehearsal, "rehearsal"))
    assert "tiny|another" in " ".join(notes(of_rehearsal, "older"))
    assert "tiny|another (older data)" in html


def test_only_what_is_missing_is_called_missing(of_study):
    report, _ = of_study
    missing = " ".join(report.missing)
    assert "are scored. " not in f"{missing.split('Not scored:')[0]} "
    assert "no items in the folder BIOINSTRUCT_EVAL_DIR" in missing
    [scaling] = [one for one in report.sections if one.anchor == "scaling"]
    tables = [block for block in scaling.blocks if isinstance(block, ReportTable)]
    assert any(table.caption.startswith("Sizes in pairs") for table in tables)


def test_the_command_says_where_the_report_is(folder, of_study, monkeypatch, capsys, tmp_path):
    target = tmp_path / "sent" / "report.html"
    monkeypatch.setenv("BIOINSTRUCT_DATA_DIR", str(folder / "real"))
    monkeypatch.setenv("BIOINSTRUCT_EXPERIMENTS", str(folder / "study.yaml"))
    monkeypatch.setattr(
        sys, "argv", ["findings", "report", "--output", str(target), "--note", "A <small> example."]
    )
    assert main() == 0
    told = capsys.readouterr().out
    assert told.startswith("tiny, trained on 400 instructions of all categories")
    assert "Missing: No data set" in told
    assert target.as_uri() in told
    assert '<p class="note">A &lt;small&gt; example.</p>' in target.read_text("utf-8")
    monkeypatch.setenv("BIOINSTRUCT_EXPERIMENTS", str(folder / "gone.yaml"))
    assert main() == 1
    assert "gone.yaml" in capsys.readouterr().err


def section(*blocks):
    return [ReportSection("one", "One: <b>", blocks)]


def test_texts_are_escaped_and_figures_share_no_id():
    svg = '<svg role="img" id="a"><use xlink:href="#a" clip-path="url(#a)"/></svg>'
    table = ReportTable("<i>", ["<u>"], [["<script>x</script>"]], NumberSource("select '<'"))
    html = page(section(ReportText("<em>"), table, ReportFigure("f", svg)), "", "now")
    assert "<script>" not in html
    assert "<em>" not in html
    assert 'id="f1-a"><use xlink:href="#f1-a" clip-path="url(#f1-a)"' in html
    assert with_own_ids('width="3"', "p-") == 'width="3"'


def test_a_drawing_is_scaled_down_only_as_far_as_it_stays_legible():
    assert narrowest('<svg role="img" width="1000pt" height="50pt"><rect width="3pt"/></svg>') == (
        "850pt"
    )
    assert narrowest("<svg>s</svg>") == "100%"


def test_a_page_that_is_too_large_points_to_the_files_of_its_largest_figures():
    small = ReportFigure("small", "<svg>s</svg>", file="small.svg")
    large = ReportFigure("large", f"<svg>{'l' * 60_000}</svg>", file="large.svg")
    html = small_page(section(small, large), "", "", most=50_000)
    assert "left out to keep this file small. It is in large.svg." in html
    assert "<svg>s</svg>" in html
    assert "<svg>l" not in html


@pytest.mark.parametrize("text", ["12", "1,234", "-0.52 [-0.66, -0.40]", "$0.04", "3.1 %", "2e-05"])
def test_numbers_are_aligned_to_the_right(text):
    assert is_number(text)


@pytest.mark.parametrize("text", ["2026-11-30", "cpu, 2 threads", "", None, "1-3 of 8", "place 1"])
def test_words_are_not(text):
    assert not is_number(text)


def test_a_column_of_numbers_holds_nothing_else():
    assert of_numbers(ReportTable("", ["a", "b"], [["x", "1"], ["2", None]])) == [False, True]


@pytest.fixture
def opened(of_study):
    """The report of a study in a browser, opened as a file, in light or dark."""
    report, _ = of_study
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)

        def page_of(scheme):
            opened = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
            requests = []
            opened.on("request", lambda request: requests.append(request.url))
            opened.on("console", lambda message: requests.append(message.text))
            opened.goto(report.path.as_uri())
            return opened, requests

        yield page_of
        browser.close()


@pytest.mark.ui
@pytest.mark.skipif(BROWSER is None, reason="no chromium here; `make browser` installs one")
def test_a_browser_opens_the_file_without_a_request_and_axe_finds_nothing(opened):
    for scheme in ("light", "dark"):
        page, requests = opened(scheme)
        assert requests == [page.url]
        found = Axe().run(page)
        assert not found.response["violations"], found.generate_report()
        # The answer, its figure and the first line of the leaderboard are in the first screen.
        for place in ("#answer .answer", "#answer svg", "#answer tbody tr"):
            box = page.locator(place).first.bounding_box()
            assert box["y"] + box["height"] <= 900, place
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        targets = page.locator("nav a").evaluate_all("links => links.map(link => link.hash)")
        assert targets == [f"#{anchor}" for anchor in SECTIONS]
        assert all(page.locator(target).count() == 1 for target in targets)
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
        assert len(ids) == len(set(ids))


@pytest.mark.ui
@pytest.mark.skipif(BROWSER is None, reason="no chromium here; `make browser` installs one")
def test_it_prints_on_paper_of_a4(opened, tmp_path):
    page, _ = opened("dark")
    page.emulate_media(media="print")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back == "rgb(255, 255, 255)"
    assert page.locator("nav").is_hidden()
    assert page.locator("details.sql").first.is_hidden()
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type /Page\b", printed)) <= 40
