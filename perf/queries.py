"""How long it takes to choose which K queries to put to a simulator: the hull beside divide and conquer and the plain program.

    python perf/queries.py [--types 1000000] [--queries 16] [--small 2000] [--plain]

Seconds of CPU. Beliefs are drawn uniformly below one half, weights from a Dirichlet distribution, so that all odds are
at most 1. At the small size all three are run and must agree; at the large size the hull alone, since the plain program would need
a table of types x types (8 TB for a million). Sorting the types and compiling the hull (package extra `simulate`; without it the
hull runs as Python) are timed apart.
"""
import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from parlour.games.solvers.queries import Cuts, cells, divide_and_conquer, hull, plain
from parlour.games.solvers.thresholds import Crowd, crowd

WANTED = 10.0


def types(count: int, seed: int = 0) -> Crowd:
    """So many types, sorted."""
    source = np.random.default_rng(seed)
    beliefs = source.uniform(0.001, 0.499, count)
    weights = source.dirichlet(np.ones(count))
    return crowd(beliefs.tolist(), weights.tolist(), (beliefs / (1 - beliefs)).tolist())


def timed(what: str, work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and what came of it, with a line of output."""
    begin = time.process_time()
    found = work()
    seconds = time.process_time() - begin
    print(f"{what:<52}{seconds:>9.3f} s", flush=True)
    return seconds, found


def small(count: int, queries: int) -> None:
    """All three at one size; raises AssertionError if they do not agree."""
    who = types(count)
    _, table = timed(f"{count:,} types: a table of all cells", lambda: cells(who))
    runs: list[tuple[str, Callable[[], Cuts]]] = [
        ("plain program on the table", lambda: plain(table, queries)),
        ("divide and conquer on it, inequality asserted",
         lambda: divide_and_conquer(lambda i, j: float(table[i, j]), who.size, queries)),
        ("hull, as Python", lambda: hull(who, queries, compiled=False))]
    values = [timed(f"  {name}", run)[1].values for name, run in runs]
    for other in values[1:]:
        assert np.allclose(values[0], other, rtol=0, atol=1e-9), "the algorithms differ"
    print("  values agree to 1e-9")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--types", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=16)
    parser.add_argument("--small", type=int, default=2000)
    parser.add_argument("--plain", action="store_true", help="do not compile the hull")
    args = parser.parse_args()
    print(f"K = {args.queries}")
    small(args.small, args.queries)
    compiled = False if args.plain else None
    if not args.plain:
        timed("compiling the hull", lambda: hull(types(1000), 2, compiled=True))
    _, who = timed(f"{args.types:,} types: sorted and merged", lambda: types(args.types))
    seconds, found = timed(f"{args.types:,} types: hull{', as Python' if args.plain else ''}", lambda: hull(who, args.queries, compiled))
    print(f"value without a query {found.values[0]:.6f}, with {args.queries} {found.values[-1]:.6f}; wanted: at most {WANTED:g} s")
    return int(seconds > WANTED)


if __name__ == "__main__":
    sys.exit(main())
