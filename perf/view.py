"""How soon the page shows a store of a million turns, and how it scrolls: at most a second each.

    python perf/view.py [--turns 1000000] [--store FILE] [--browser]

Plays `email` under `advice` with two mocks (or takes the store that is named, if it is there already), serves the store in a
process of its own, and prints seconds: of the first page in a fresh process; of every further page asked for over HTTP, the median of
five; with --browser of the same in headless Chromium, until all of the page is there, and of a page more of episodes while one scrolls.
"""
import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parlour.experiments import api, runner
from parlour.experiments.design import make_design
from parlour.transcripts.store import Store

TURNS, LIMIT = 3, 1.0


def made(path: Path, turns: int) -> str:
    """A store with a run of so many turns; the run. One that is there already is taken as it is."""
    if not path.exists():
        design = make_design({"name": "view", "episodes": turns // TURNS, "concurrency": 64, "game": "email", "protocol": "advice",
                              "seats": {"human": {"agent": "mock", "passes": 0.0}, "ai": "mock"}})
        began = time.perf_counter()
        api.synchronous(runner.start(design, Store(path)))
        print(f"made in {time.perf_counter() - began:.0f} s, {path.stat().st_size / 2**20:.0f} MB", flush=True)
    return str(Store(path).rows("SELECT run FROM run ORDER BY written DESC")[0]["run"])


@contextmanager
def server(path: Path) -> Iterator[str]:
    """The address of `parlour view` in a process of its own."""
    code = "import sys; from parlour.experiments.cli import main; sys.exit(main())"
    process = subprocess.Popen([sys.executable, "-c", code, "view", str(path), "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found, "the server did not begin"
    try:
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def over_http(address: str, run: str, pages: int, middle: int) -> bool:
    """Prints how long each page takes; whether all were in time."""
    import httpx
    home, good = address.partition("/?")[0], True
    with httpx.Client(follow_redirects=True, timeout=120) as client:
        good &= tell("first page, fresh process", [timed(lambda: client.get(address))])
        for name, path in (("runs", "/"), ("a run, first time", f"/run/{run}"), ("a run", f"/run/{run}"),
                           ("episodes, first page", f"/run/{run}/episodes"),
                           ("episodes, page in the middle", f"/run/{run}/episodes?page={pages // 2}"),
                           ("episodes, last page", f"/run/{run}/episodes?page={pages}"),
                           ("episodes, filtered", f"/run/{run}/episodes?status=done&page=7"), ("a transcript", f"/run/{run}/{middle}")):
            good &= tell(name, [timed(lambda p=path: client.get(home + p)) for _ in range(1 if "first time" in name else 5)])  # type: ignore[misc]
    return good


def in_browser(address: str, run: str) -> bool:
    """The same as a person waits for it."""
    from playwright.sync_api import sync_playwright
    home, good = address.partition("/?")[0], True
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto("about:blank")
        good &= tell("browser: first page", [timed(lambda: page.goto(address))])
        good &= tell("browser: episodes", [timed(lambda: page.goto(f"{home}/run/{run}/episodes")) for _ in range(5)])
        waits = []
        for _ in range(20):
            rows = page.locator("#episodes > tr").count()
            began = time.perf_counter()
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
            page.wait_for_function("n => document.querySelectorAll('#episodes > tr').length > n", arg=rows)
            waits.append(time.perf_counter() - began)
        good &= tell("browser: a page more while scrolling", waits)
        browser.close()
    return good


def timed(work: object) -> float:
    """Seconds that a call takes."""
    assert callable(work)
    began = time.perf_counter()
    answer = work()
    taken = time.perf_counter() - began
    status = getattr(answer, "status_code", None) or getattr(answer, "status", 200)
    assert status == 200, f"answered {status}"
    return taken


def tell(name: str, seconds: list[float]) -> bool:
    """Prints the median and the most; whether the median is within the limit."""
    middle = statistics.median(seconds)
    print(f"{name:<40} {middle:6.3f} s   most {max(seconds):6.3f} s   {'met' if middle <= LIMIT else 'MISSED'} (at most {LIMIT:g})",
          flush=True)
    return middle <= LIMIT


def main() -> int:
    """0 if everything was in time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, help="to keep it, or to use one that is there (default: made and thrown away)")
    parser.add_argument("--browser", action="store_true", help="also in headless Chromium")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = args.store or Path(folder) / "view.duckdb"
        run = made(path, args.turns)
        episodes = Store(path).rows("SELECT count(*) AS n FROM episode WHERE run = ?", [run])[0]["n"]
        turns = Store(path).rows("SELECT count(*) AS n FROM attempt")[0]["n"]
        print(f"{turns:,} turns in {episodes:,} episodes")
        with server(path) as address:
            good = over_http(address, run, -(-episodes // 50), episodes // 2)
            good &= in_browser(address, run) if args.browser else True
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
