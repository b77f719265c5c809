"""The real UI: `dagster dev` in a real Chromium, on an instance shared with the command line."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import dagster as dg
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.figures.sheet import MARGIN, SEEN
from bioinstruct_dagster.settings import PROJECT_ROOT, Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.conftest import CHAIN

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
# The longest wait for anything; each ends as soon as what it waits for is there.
PATIENCE = 120
CODE_LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"

pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(
        BROWSER is None, reason="no chromium or google-chrome here; `make browser` installs one"
    ),
]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs of this module write."""
    return tmp_path_factory.mktemp("ui") / "data"


@pytest.fixture(scope="module")
def environment(data_dir: Path, experiments_file: Path) -> dict[str, str]:
    """A developer's shell: the project's own dagster.yaml, in an instance of this module alone."""
    home = data_dir.parent / "dagster_home"
    home.mkdir()
    shutil.copy(PROJECT_ROOT / ".dagster_home" / "dagster.yaml", home)
    ours = ("BIOINSTRUCT_", "OPENAI_", "DAGSTER_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "DAGSTER_HOME": str(home),
        "BIOINSTRUCT_DATA_DIR": str(data_dir),
        "BIOINSTRUCT_EXPERIMENTS": str(experiments_file),
        "BIOINSTRUCT_TEACHER": "rehearsal",
        "BIOINSTRUCT_REQUESTS": "12",
    }


@pytest.fixture(scope="module")
def command_line_run(environment: dict[str, str]) -> str:
    """The id of a run from the command line: seeds and raw rows."""
    command = ["asset", "materialize", "-m", "bioinstruct_dagster"]
    done = subprocess.run(
        [sys.executable, "-m", "dagster", *command, "--select", "+key:raw_instructions"],
        env=environment,
        cwd=environment["DAGSTER_HOME"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    [run_id] = set(re.findall(r" - __ASSET_JOB - ([0-9a-f-]{36}) - ", done.stdout + done.stderr))
    return run_id


@pytest.fixture(scope="module")
def ui(environment: dict[str, str], command_line_run: str) -> Iterator[str]:
    """The address of `dagster dev`. Ctrl-C stops it at the end, and no process may be left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = Path(environment["DAGSTER_HOME"]) / "dev.log"
    command = ["dev", "-m", "bioinstruct_dagster", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "dagster", *command],
            env=environment,
            cwd=environment["DAGSTER_HOME"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A shell ignores SIGINT in what it starts in the background, and children inherit it:
            # Dagster's could then not be stopped.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
    try:
        _wait_until_loaded(server, port, log)
        yield f"http://127.0.0.1:{port}"
        os.killpg(server.pid, signal.SIGINT)
        assert server.wait(PATIENCE) == 0, log.read_text()
        _, left = psutil.wait_procs(_processes_of(environment["DAGSTER_HOME"]), PATIENCE)
        assert left == []
    finally:
        for process in _processes_of(environment["DAGSTER_HOME"]):
            process.kill()
        server.wait(PATIENCE)


def _wait_until_loaded(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    wanted = [{"name": "bioinstruct_dagster", "loadStatus": "LOADED"}]
    found: object = None
    while found != wanted:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{found}\n{log.read_text()}"
        time.sleep(0.2)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            body = json.dumps({"query": CODE_LOCATIONS})
            connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
            found = json.load(connection.getresponse())["data"]["workspaceOrError"].get(
                "locationEntries"
            )
        except ConnectionError as error:
            found = error
        finally:
            connection.close()


def _processes_of(home: str) -> list[psutil.Process]:
    # By what each inherits, since a child may leave its parent's process group.
    return [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get("DAGSTER_HOME") == home
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=BROWSER_ARGUMENTS)
        expect.set_options(timeout=PATIENCE * 1000)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab that is wide enough for full asset names in the graph."""
    tab = browser.new_page(viewport={"width": 2600, "height": 1000})
    tab.set_default_timeout(PATIENCE * 1000)
    yield tab
    tab.close()


def _open_run(page: Page, ui: str, run_id: str) -> None:
    """Follow the link in the list of runs, and wait for the run's end."""
    page.goto(f"{ui}/runs")
    page.goto(f"{ui}{page.get_by_role('link', name=run_id[:8]).get_attribute('href')}")
    status = page.get_by_text(re.compile("^(Success|Failure)$"))
    expect(status).to_be_visible()
    expect(status).to_have_text("Success")


def test_the_graph_shows_the_seven_assets_from_left_to_right(page: Page, ui: str) -> None:
    # In a narrow window, Dagster shortens the names of a graph that has to fit in.
    page.set_viewport_size({"width": 4_800, "height": 2_000})
    page.goto(f"{ui}/asset-groups")
    graph_settings = page.locator("button:has([aria-label=settings])")
    graph_settings.filter(has_not_text="Settings").click()
    page.get_by_role("menuitem", name="Expand all groups").click()

    nodes = page.locator("foreignObject")
    for name in CHAIN:
        expect(nodes.get_by_text(name, exact=True)).to_be_visible()
    # All at once, since the graph may still be moving.
    drawn = nodes.evaluate_all("all => all.map(n => [n.textContent, n.getBoundingClientRect().x])")
    left = [x for name in CHAIN for text, x in drawn if text.startswith(name)]
    assert left == sorted(set(left))


@pytest.mark.parametrize("asset", CHAIN)
def test_an_assets_docstring_is_on_its_page(
    page: Page, ui: str, settings: Settings, asset: str
) -> None:
    description = build_defs(settings).resolve_asset_graph().get(dg.AssetKey(asset)).description
    assert description
    # Up to the first mark that Markdown may render otherwise.
    opening = re.split("[`*_.:]", " ".join(description.split()))[0].strip()
    assert len(opening) > 20

    page.goto(f"{ui}/assets/{asset}")

    expect(page.get_by_text(opening)).to_be_visible()


def test_a_run_from_the_command_line_shows_in_the_ui(
    page: Page, ui: str, command_line_run: str
) -> None:
    _open_run(page, ui, command_line_run)

    page.goto(f"{ui}/assets/raw_instructions?view=events")
    expect(page.get_by_role("link", name=command_line_run[:8]).first).to_be_visible()


def test_a_click_materializes_an_asset_and_its_figure_is_seen(
    page: Page, ui: str, data_dir: Path
) -> None:
    page.goto(f"{ui}/assets/deduplicated_instructions")
    expect(page.get_by_text("Never materialized")).to_be_visible()
    figure = page.locator("img[src^='data:image/svg+xml,']")
    expect(figure).to_have_count(0)

    page.get_by_role("button").filter(has_text=re.compile(r"Materialize$")).click()

    launched = page.get_by_text("Launched run").text_content() or ""
    _open_run(page, ui, launched.removeprefix("Launched run "))
    page.goto(f"{ui}/assets/deduplicated_instructions")

    expect(figure).to_be_visible()
    assert figure.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 480
    drawing = unquote((figure.get_attribute("src") or "").partition(",")[2])
    [kept] = Store(data_dir / "bioinstruct.duckdb", timeout=PATIENCE).rows(
        "select count(*) as rows from deduplicated_instructions"
    )
    assert kept["rows"] > 0
    assert f"kept {kept['rows']} (" in drawing


@pytest.mark.parametrize("asset", ["seed_tasks", "raw_instructions", "deduplicated_instructions"])
def test_the_summary_and_its_figure_are_in_the_first_screen(
    page: Page, ui: str, asset: str
) -> None:
    page.set_viewport_size({"width": 1_280, "height": 900})
    page.goto(f"{ui}/assets/{asset}")
    figure = page.locator("img[src^='data:image/svg+xml,']").first
    expect(figure).to_be_visible()
    sentence = page.get_by_text(re.compile(r"(seed tasks|raw rows|kept rows?)\b.*")).first
    expect(sentence).to_be_visible()

    box = figure.bounding_box()
    assert box
    assert box["width"] >= 480
    assert box["y"] + box["height"] <= 900
    # The page clips what is right of the column. What matters lies in the pixels that it shows.
    clipped_at = figure.evaluate(
        "image => { for (let e = image.parentElement; e; e = e.parentElement)"
        " if (getComputedStyle(e).overflowX === 'auto') return e.getBoundingClientRect().right }"
    )
    assert min(clipped_at, 1_280) - box["x"] >= SEEN - MARGIN

    page.set_viewport_size({"width": 1_440, "height": 900})
    wide = figure.bounding_box()
    assert wide
    assert wide["y"] + wide["height"] <= 900


def test_rows_are_shown_as_cards_with_their_texts(page: Page, ui: str, data_dir: Path) -> None:
    page.goto(f"{ui}/assets/deduplicated_instructions")
    row = page.locator("tr").filter(has_text="five kept rows")
    row.get_by_text("[Show Markdown]").click()

    cards = page.get_by_role("dialog")
    expect(cards.get_by_text("instruction", exact=True)).to_have_count(5)
    first = cards.locator("blockquote").first.inner_text().strip()
    kept = Store(data_dir / "bioinstruct.duckdb", timeout=PATIENCE).rows(
        "select instruction from deduplicated_instructions"
    )
    assert any(" ".join(one["instruction"].split()).startswith(first[:40]) for one in kept)


def test_a_check_says_on_its_tab_what_it_found_and_what_to_do(page: Page, ui: str) -> None:
    page.goto(
        f"{ui}/assets/deduplicated_instructions?view=checks&checkDetail=evaluation_sets_are_at_hand"
    )
    for name in ("every_raw_row_is_accounted_for", "kept_rows_hold_no_identifiers"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()

    expect(page.get_by_text("Put the files into the folder that").first).to_be_visible()


def test_the_partitions_of_an_adapter_have_base_model_and_recipe(page: Page, ui: str) -> None:
    page.goto(f"{ui}/assets/lora_adapter?view=partitions")

    expect(page.get_by_placeholder("Filter by base_model")).to_be_visible()
    expect(page.get_by_placeholder("Filter by recipe")).to_be_visible()
    for name in ("rehearsal-llama", "all", "information_extraction"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
