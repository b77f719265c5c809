"""`make screenshots`: docs/images, from the real UI on the results of `make demo`, in Chromium.

It starts Dagster's web server without its daemon, so nothing is run or paid. It reads the data
folder and the instance that the environment names. Belongs here: which pages are pictured, and how
they are reached. Does not: the pages (docs/ui.md describes them).
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import PROJECT_ROOT, load_settings
from bioinstruct_dagster.store.database import Store

IMAGES = Path(__file__).parent / "images"
WINDOW: Any = {"width": 1_440, "height": 900}  # of a laptop
WIDE: Any = {"width": 3_600, "height": 1_500}  # else Dagster shortens the names in the graph
GRAPH_MARGIN = 12  # less than the distance to the tool bar and the buttons around the graph
PATIENCE = 60  # seconds for anything; each wait ends as soon as what it waits for is there
SETTLED = 1_500  # milliseconds: the page moves its parts after it has them
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
LOADED = "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"
SUMMARY_FIGURE = "img[src^='data:image/svg+xml']"
CHECKED = "evaluation_sets_are_at_hand"
CHECK_TEXT = "evaluation sets have no files"  # of its result on the rehearsal's data

Shot = Callable[[Any, str, Path], None]  # a tab, the UI's address, the file to write


def asset_graph(tab: Any, ui: str, target: Path) -> None:
    """The whole graph with all groups expanded, without the frame of the page."""
    tab.set_viewport_size(WIDE)
    tab.goto(f"{ui}/asset-groups")
    graph_settings = tab.locator("button:has([aria-label=settings])")
    graph_settings.filter(has_not_text="Settings").click()
    tab.get_by_role("menuitem", name="Expand all groups").click()
    tab.keyboard.press("Escape")  # the menu stays open otherwise
    tab.get_by_role("menuitem").first.wait_for(state="hidden")
    nodes = tab.locator("foreignObject")
    nodes.get_by_text("eval_scores", exact=True).first.wait_for()
    tab.wait_for_timeout(SETTLED)
    boxes = nodes.evaluate_all(
        "all => all.map(n => n.getBoundingClientRect())"
        ".filter(b => b.width > 0).map(b => [b.left, b.top, b.right, b.bottom])"
    )
    left, top = (max(0, min(box[n] for box in boxes) - GRAPH_MARGIN) for n in (0, 1))
    right = min(WIDE["width"], max(box[2] for box in boxes) + GRAPH_MARGIN)
    bottom = min(WIDE["height"], max(box[3] for box in boxes) + GRAPH_MARGIN)
    area = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    tab.screenshot(path=target, clip=area)


def asset_page(tab: Any, ui: str, target: Path) -> None:
    """The first screen of an asset's page, with its summary."""
    _open_asset(tab, ui, "deduplicated_instructions", target)


def finding(tab: Any, ui: str, target: Path) -> None:
    """The page of a finding with its figure."""
    _open_asset(tab, ui, "leaderboard", target)


def _open_asset(tab: Any, ui: str, asset: str, target: Path) -> None:
    tab.goto(f"{ui}/assets/{asset}")
    figure = tab.locator(SUMMARY_FIGURE).first
    figure.wait_for()
    figure.evaluate("image => image.decode()")
    tab.wait_for_timeout(SETTLED)
    tab.screenshot(path=target)


def checks(tab: Any, ui: str, target: Path) -> None:
    """The tab with the checks of an asset, one of them open."""
    tab.goto(f"{ui}/assets/deduplicated_instructions?view=checks&checkDetail={CHECKED}")
    for text in (CHECKED, CHECK_TEXT):
        # Dagster also keeps hidden copies of long names, by which it measures their width.
        tab.get_by_text(text).locator("visible=true").first.wait_for()
    tab.wait_for_timeout(SETTLED)
    tab.screenshot(path=target)


def review_page(tab: Any, _ui: str, target: Path) -> None:
    """The page for reviewers, as a browser opens the file."""
    page = load_settings().store.data_dir / "review" / "review.html"
    tab.goto(page.resolve().as_uri())
    tab.wait_for_timeout(SETTLED)
    tab.screenshot(path=target)


SHOTS: dict[str, Shot] = {
    "asset-graph.png": asset_graph,
    "asset-page.png": asset_page,
    "checks.png": checks,
    "finding.png": finding,
    "review-page.png": review_page,
}


@contextlib.contextmanager
def running_ui() -> Iterator[str]:
    """The address of a web server on the instance that DAGSTER_HOME names."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        command = ["-m", "dagster_webserver", "-m", "bioinstruct_dagster", "-h", "127.0.0.1"]
        server = subprocess.Popen(
            [sys.executable, *command, "-p", str(port)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            if not _loads(address, server):
                log.seek(0)
                said = log.read().decode("utf-8", "replace")[-2_000:]
                raise StatedError(f"Dagster's web server did not load the project:\n{said}")
            yield address
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _loads(address: str, server: "subprocess.Popen[bytes]") -> bool:
    """Whether the server has loaded the project before time is up."""
    deadline = time.monotonic() + PATIENCE
    body = json.dumps({"query": LOADED}).encode()
    head = {"Content-Type": "application/json"}
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.5)
        request = urllib.request.Request(f"{address}/graphql", body, head)
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            direct.open(request, timeout=PATIENCE) as reply,
        ):
            entries = json.load(reply)["data"]["workspaceOrError"].get("locationEntries")
            if entries and all(entry["loadStatus"] == "LOADED" for entry in entries):
                return True
    return False


def browser() -> str:
    """The path of the browser.

    Raises:
        StatedError: there is none.
    """
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise StatedError("No chromium or google-chrome is here. `make browser` installs one.")
    return found


def needs_results() -> None:
    """Refuse to picture pages without content.

    Raises:
        StatedError: a step that a picture shows was not materialized.
    """
    settings = load_settings()
    store = Store(settings.store.path, settings.store.lock_timeout)
    empty = [
        name
        for name in ("deduplicated_instructions", "eval_scores", "leaderboard")
        if not store.rows(f"select 1 from {name} limit 1")
    ]
    if empty:
        raise StatedError(f"There is nothing to picture in {', '.join(empty)}. Run `make demo`.")


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures, and name those that failed; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SHOTS, default=list(SHOTS))
    options = parser.parse_args(arguments)
    from playwright.sync_api import Error, sync_playwright

    failed = 0
    try:
        needs_results()
        executable = browser()
        with running_ui() as address, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=executable, args=BROWSER_ARGUMENTS
            )
            for name in options.only:
                tab = chromium.new_page(viewport=WINDOW)
                tab.set_default_timeout(PATIENCE * 1_000)
                try:
                    SHOTS[name](tab, address, IMAGES / name)
                    print(f"{IMAGES / name}")
                except Error as error:
                    print(f"{name}: {error.message.splitlines()[0]}", file=sys.stderr)
                    failed += 1
                tab.close()
            chromium.close()
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
