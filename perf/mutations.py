"""Seeded errors in the economics, and whether the suite finds them.

    python perf/mutations.py [--errors 100] [--seed 1] [--jobs 2] [--list]

An error is one change to one expression of a game, a solver, a protocol, a statistic or a statistical person: + for -, * for /, a
comparison turned round, min for max, `not` dropped, `and` for `or`, a number moved, a revelation or a fee dropped. They are drawn
by seed from all there are, each in a copy of the package, and the tests of that part are run until one fails. Printed are those
that no test found, with the line and the change; whoever reads them decides whether they are errors at all (a slack of 2e-9 for
1e-9 is none). Exit code 1 below 95 in 100.
"""
import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).parent.parent
WHERE = ("games/*.py", "games/solvers/*.py", "protocols/advice.py", "protocols/cheap_talk.py", "protocols/session.py",
         "transcripts/statistics.py", "transcripts/sampling.py", "transcripts/hypotheses.py", "transcripts/shares.py",
         "transcripts/forks.py", "transcripts/channel.py", "agents/logit.py", "agents/level_k.py", "agents/liar.py")
SKIP = ("__init__.py", "base.py", "_words.py")
EVERY = "tests/test_every_game.py"
TESTS = {"games": ["tests/games", "tests/solvers", EVERY], "protocols": ["tests/protocols", EVERY],
         "transcripts": ["tests/transcripts", "tests/experiments/test_fork.py", "tests/experiments/test_blame.py"],
         "agents": ["tests/agents/test_seats.py"]}
SWAPS: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Lt: ast.Gt, ast.Gt: ast.Lt,
                           ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And}
CALLS = {"min": "max", "max": "min"}


@dataclass(frozen=True)
class Error:
    """One change: the file, its line, what stood there, what stands there now, and the whole file with it."""
    path: Path
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}   {self.before}   ->   {self.after}"


def errors(path: Path) -> Iterator[Error]:
    """Every error that can be made in a file; statements only, never a docstring, a default of a wording, or a raise."""
    text = path.read_text()
    tree = ast.parse(text)
    silent = {id(n) for r in ast.walk(tree) if isinstance(r, ast.Raise | ast.Assert | ast.JoinedStr | ast.AnnAssign) for n in ast.walk(r)}
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)):
        for node in ast.walk(function):
            if id(node) not in silent:
                yield from _changed(path, text, node)


def _changed(path: Path, text: str, node: ast.AST) -> Iterator[Error]:
    before = ast.get_source_segment(text, node) if isinstance(node, ast.expr) else None
    if before is None:
        return
    after = _after(node)
    if after is not None and "\n" not in before:
        start = _offset(text, node.lineno, node.col_offset)  # type: ignore[attr-defined]
        new = text.encode()[:start] + f"({after})".encode() + text.encode()[start + len(before.encode()):]
        yield Error(path.relative_to(ROOT), node.lineno, before, after, new.decode())  # type: ignore[attr-defined]


def _after(node: ast.AST) -> str | None:
    """The expression with its error; None if none is made of it."""
    if not isinstance(node, ast.BinOp | ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Call | ast.Constant):
        return None
    made = ast.parse(ast.unparse(node), mode="eval").body
    if isinstance(made, ast.BinOp) and type(made.op) in SWAPS:
        made.op = SWAPS[type(made.op)]()
    elif isinstance(made, ast.Compare) and len(made.ops) == 1 and type(made.ops[0]) in SWAPS:
        made.ops = [SWAPS[type(made.ops[0])]()]
    elif isinstance(made, ast.BoolOp):
        made.op = SWAPS[type(made.op)]()
    elif isinstance(made, ast.UnaryOp) and isinstance(made.op, ast.Not):
        return ast.unparse(made.operand)
    elif isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id in CALLS:
        made.func.id = CALLS[made.func.id]
    elif isinstance(made, ast.Constant) and isinstance(made.value, int | float) and not isinstance(made.value, bool):
        made = ast.Constant(made.value + 1)
    elif isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr in ("reveal", "fee"):
        return "None" if made.func.attr == "reveal" else "0.0"
    else:
        return None
    return ast.unparse(made)


def _offset(text: str, line: int, column: int) -> int:
    """The byte at which a node begins."""
    return sum(len(x.encode()) for x in text.splitlines(keepends=True)[:line - 1]) + column


def drawn(count: int, seed: int) -> list[Error]:
    """So many errors, by seed, as many in each file as its share of all."""
    files = sorted({p for pattern in WHERE for p in ROOT.glob(pattern) if not p.name.endswith(SKIP)})
    every = [e for p in files for e in errors(p)]
    return Random(seed).sample(every, min(count, len(every)))


def found(error: Error) -> bool:
    """Whether a test of that part fails with the error in place."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "parlour"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "*.duckdb", "*.journals", "build", "dist", "__pycache__"))
        (copy / error.path).write_text(error.source)
        tests = [str(copy / t) for t in _tests(error.path)]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--timeout", "240", "--rootdir", str(copy),
                   "-c", str(copy / "pyproject.toml"), *tests]
        done = subprocess.run(command, cwd=copy, env={**os.environ, "PYTHONPATH": folder}, capture_output=True, text=True, check=False)
        return done.returncode != 0


def _tests(path: Path) -> list[str]:
    """The tests of a part, those named after the file first."""
    named = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests").rglob(f"test_{path.stem}*.py"))
    return [*named, *(t for t in TESTS[path.parts[0]] if t not in named)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="only name them")
    args = parser.parse_args()
    some, began = drawn(args.errors, args.seed), time.monotonic()
    if args.list:
        print("\n".join(map(str, some)))
        return 0
    with ThreadPoolExecutor(args.jobs) as pool:
        missed = [e for e, caught in zip(some, pool.map(found, some), strict=True) if not caught]
    for error in missed:
        print(f"not found: {error}")
    print(f"{len(some) - len(missed)} of {len(some)} errors found (seed {args.seed}, {time.monotonic() - began:.0f} s)")
    return 0 if len(missed) * 20 <= len(some) else 1


if __name__ == "__main__":
    sys.exit(main())
