"""What is shipped: the wheel holds the package and nothing else, and works where there is no checkout, no git and no network."""
import csv
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import duckdb
import httpx
import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]
NOT_SOURCES = (".*", "__pycache__", "build", "dist", "*.egg-info", "*.duckdb", "*.duckdb.wal", "*.journals")
FOUNDATION = ("errors", "registry")
OUR_FOLDERS = ("agents", "experiments", "games", "protocols", "reports", "transcripts", "viewer", "tests", "docs", "examples", "perf")


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(wheel, sdist) of a copy of the checkout, so that building leaves nothing behind; the wheel is built from the sdist."""
    assert int(version("setuptools").partition(".")[0]) >= 77, "the build needs setuptools>=77: install the test extra"
    folder = tmp_path_factory.mktemp("build")
    shutil.copytree(ROOT, folder / "source", ignore=shutil.ignore_patterns(*NOT_SOURCES))
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", folder / "source", cwd=folder)
    (wheel,), (sdist,) = (list((folder / "dist").glob(kind)) for kind in ("*.whl", "*.tar.gz"))
    return wheel, sdist


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel. Dependencies come from this one by a .pth line, which runs no .pth file of it."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--quiet",
        "--disable-pip-version-check", built[0], cwd=folder)
    (site_packages(folder) / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder


def site_packages(environment: Path) -> Path:
    found, = environment.glob("lib/python*/site-packages")
    return found


def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which there is no git, nor anything else, and no home to speak of."""
    for name in ("nothing", "home"):
        (tmp_path / name).mkdir()
    return {"PATH": str(tmp_path / "nothing"), "HOME": str(tmp_path / "home"), "COLUMNS": "140"}


def shipped() -> set[str]:
    """Every file that belongs into the package."""
    folders = [ROOT.joinpath(*name.split(".")[1:]) for name in PACKAGES]
    data = {ROOT.joinpath(*name.split(".")[1:]): patterns
            for name, patterns in PROJECT["tool"]["setuptools"]["package-data"].items()}
    files = [p for folder in folders for pattern in ("*.py", *data.get(folder, ())) for p in folder.glob(pattern)]
    return {str("parlour" / p.relative_to(ROOT)) for p in files}


def test_the_wheel_holds_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    with ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
        about = next(n.split("/")[0] for n in names if n.endswith("/METADATA"))
        assert {n for n in names if not n.startswith(f"{about}/")} == shipped()
        assert wheel.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert "parlour = parlour.experiments.cli:main" in wheel.read(f"{about}/entry_points.txt").decode()
    assert {"parlour/py.typed", "parlour/transcripts/schema/001_start.sql", "parlour/experiments/demo.toml"} <= names
    assert {n for n in names if n.count("/") == 1 and n.endswith(".py")} == {f"parlour/{m}.py" for m in ("__init__", *FOUNDATION)}
    assert {n.split("/")[1] for n in names if n.startswith("parlour/") and n.count("/") > 1} == {*OUR_FOLDERS[:7], "examples"}


def test_the_sdist_says_what_it_is(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[1]) as sdist:
        names = {n.partition("/")[2] for n in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "py.typed"} <= names
    assert {n.removeprefix("parlour/") for n in shipped()} <= names


def test_no_generic_name_reaches_site_packages(installed: Path) -> None:
    there = {p.name for p in site_packages(installed).iterdir()} - {"__pycache__", "dependencies.pth"}
    assert there == {"parlour", f"parlour-{PROJECT['project']['version']}.dist-info"}
    code = (f"import sys; sys.path = [p for p in sys.path if p != {sysconfig.get_paths()['purelib']!r}]\n"
            f"from importlib.util import find_spec; print(*(n for n in {('parlour', *OUR_FOLDERS)} if find_spec(n)))")
    assert run(installed / "bin" / "python", "-I", "-c", code, cwd=installed).split() == ["parlour"]


def test_what_is_imported_is_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import parlour; print(parlour.__file__); print(parlour.__version__)"
    file, number = run(installed / "bin" / "python", "-c", code, cwd=tmp_path, env=bare(tmp_path)).splitlines()
    assert Path(file).is_relative_to(site_packages(installed)) and number == PROJECT["project"]["version"]


def test_help_works_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    text = run(installed / "bin" / "parlour", "--help", cwd=tmp_path, env=bare(tmp_path))
    assert "parlour demo" in text and "resume" in text


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """In an empty folder, without git, with a home that stays empty."""
    environment, folder = bare(tmp_path), tmp_path / "work"
    folder.mkdir()
    text = run(installed / "bin" / "parlour", "demo", cwd=folder, env=environment)
    assert "95% interval" in text and "with_ai" in text
    assert "word for word" in text and '{"' in text.partition("word for word")[2]
    assert {p.name for p in folder.iterdir()} == {"parlour-demo.duckdb", "parlour-demo.journals"}
    with duckdb.connect(str(folder / "parlour-demo.duckdb"), read_only=True) as db:
        arms, episodes, ended = db.execute("SELECT (SELECT count(*) FROM arm), (SELECT count(*) FROM episode), "
                                           "(SELECT count(*) FROM ending)").fetchall()[0]
    demo = tomllib.loads((ROOT / "experiments" / "demo.toml").read_text())
    assert (arms, episodes) == (len(demo["arms"]), len(demo["arms"]) * demo["episodes"]) and ended == episodes
    assert os.listdir(tmp_path / "home") == []


def test_a_demonstration_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Its designs, its tables and its page are in the package; and its bundle gives the same tables to whoever has no more than that."""
    environment, folder = bare(tmp_path), tmp_path / "work"
    folder.mkdir()
    command, store = installed / "bin" / "parlour", ("--store", "parlour-demo.duckdb")
    text = run(command, "demo", "one_ai_or_two", "--episodes", "20", cwd=folder, env=environment)
    found = {row["quantity"]: row for row in csv.DictReader((folder / "parlour-demo-one_ai_or_two" / "expected-and-found.csv").open())}
    assert "The full reports of what was played" in text
    sums = [float(found[f"sum of payoffs, {arm}"]["found"]) for arm in ("no AI", "one common AI", "an AI each")]
    assert sums == pytest.approx([19, 22.8, 14.82])
    assert "data:image/svg" in (folder / "parlour-demo-one_ai_or_two" / "report.html").read_text()
    run(command, "bundle", "one-ai-or-two-model", *store, "--to", "x.tar.gz", cwd=folder, env=environment)
    (folder / "elsewhere").mkdir()
    assert " 0 differ" in run(command, "bundle", "verify", folder / "x.tar.gz", cwd=folder / "elsewhere", env=environment)
    assert os.listdir(folder / "elsewhere") == []


def test_the_page_is_served_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Its templates, style and script are in the wheel, and so is the page for people."""
    environment, command = bare(tmp_path), str(installed / "bin" / "parlour")
    run(command, "play", "email", "--seat", "human=always_follow", "--seat", "ai=strategy", cwd=tmp_path, env=environment)
    with subprocess.Popen([command, "view", "--port", "0"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as view:
        try:
            assert view.stdout
            address = view.stdout.readline().split()[-1]
            with httpx.Client(follow_redirects=True) as client:
                home = address.partition("/?")[0]
                assert "<h1>Runs</h1>" in client.get(address).text
                assert all(client.get(f"{home}/static/{name}").status_code == 200 for name in ("style.css", "page.js"))
        finally:
            view.terminate()
    assert {"seat.html", "seat.css", "seat.js"} <= {p.name for p in (site_packages(installed) / "parlour" / "agents").iterdir()}
