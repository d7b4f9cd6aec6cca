"""The whole source under ruff and under mypy --strict, as pyproject.toml sets them."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_ruff() -> None:
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--output-format", "concise", str(ROOT)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_mypy(tmp_path: Path) -> None:
    """The root of the checkout is the package `parlour`, so mypy sees it through a link of that name."""
    (tmp_path / "parlour").symlink_to(ROOT)
    folders = [f"parlour.{f}" for f in ("errors", "registry", "games", "protocols", "agents", "transcripts", "reports", "experiments",
                                        "viewer")]
    done = subprocess.run([sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir",
                           str(ROOT / ".mypy_cache"), *(x for f in folders for x in ("-p", f))],
                          cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
