"""The commands of learners: `simulate`, and `learners`, which reads what a run's seats did."""
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from ..errors import FieldError, InputError
from ..transcripts.curves import ROLES, Simulated, read
from ..transcripts.store import Store
from .commands import emit, pairs
from .design import Fields, game_of, seat
from .simulation import Plan, rows, run


def simulate(args: Namespace) -> int:
    """Every leader against every follower at every horizon, into the store; then the table, and pictures if asked for."""
    if min(args.rounds) < 2 or max(args.rounds) > 10**9 or args.seeds < 1:
        raise FieldError("--rounds is at least 2 and --seeds at least 1.")
    spec: Fields = {"name": args.game, **pairs(args.set, "--set")}
    store, every = Store(args.store), []
    for leader in map(seat, args.leader):
        for follower in map(seat, args.follower):
            found = [_simulated(spec, leader, follower, rounds, args, store) for rounds in sorted(set(args.rounds))]
            every.append(found)
    if args.plot:
        for path in _pictures([pair[-1] for pair in every], args):
            print(path, file=sys.stderr)
    table = [row for pair in every for row in rows(pair, args.level)]
    if args.json:
        return emit(table)
    for pair in every:
        _print(pair, args.level)
    return 0


def _simulated(spec: Fields, leader: Fields, follower: Fields, rounds: int, args: Namespace, store: Store) -> Simulated:
    game = game_of(spec)
    if "horizon" in type(game).model_fields:
        game = game_of({**spec, "horizon": rounds})

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{leader['agent']} x {follower['agent']}, {rounds} rounds: {done}/{of} seeds", end="\n" if done == of else "",
                  file=sys.stderr, flush=True)

    name = run(Plan(game, spec, leader, follower, rounds), store, range(args.seed, args.seed + args.seeds), tell)
    return read(store, name)


def _print(pair: list[Simulated], level: float) -> None:
    from .plots import label
    last = pair[-1]
    print(f"\n{label(last.leader)} x {label(last.follower)}   {len(last.switched)} seeds")
    for row in rows(pair, level):
        slope = "" if row["slope"] is None else f"   slope {row['slope']:.3f} [{row['slope_low']:.3f}, {row['slope_high']:.3f}]"
        print(f"  T={row['rounds']:<9g}{row['role']:<6} against {row['benchmark']:<18}{row['regret']:>12.1f} "
              f"[{row['low']:.1f}, {row['high']:.1f}]{slope}")
    print("  leader at the last horizon: " + ", ".join(f"{k} {v:.4g}" for k, v in last.exploration().items())
          + f"; follower's instantaneous regret {last.instantaneous[:, -1].mean():.4g}")


def _pictures(found: list[Simulated], args: Namespace) -> list[Path]:
    from .plots import draw
    names = [b["name"] for b in found[0].benchmarks if b["value"].get(ROLES[0]) is not None and "regret" not in b["measures"]]
    if not names:
        raise InputError("this game has no benchmark for its leader: there is no regret to draw.")
    return draw(found, Path(args.plot), ROLES[0], args.against if args.against else names[0])


def learners(args: Namespace) -> int:
    """How every seat of a run explored, which learner explains it best, and how far each learner's choices are from its own."""
    from ..transcripts.seated import described
    from ..transcripts.talk import find_run
    from .likeness import CLASSICAL, distances

    store = Store(args.store)
    name = find_run(store, args.run)
    lines = described(store, name)
    if not lines:
        raise InputError("no seat of this run chose among a few actions over many rounds, so there is nothing to fit.")
    if args.json:
        return emit({"seats": lines, "distances": list(distances(store, name))})
    for line in lines:
        shown = ", ".join(f"{k} {line[k]:.3g}" for k in ("min fraction", "greedy fraction", "last switch", "suffix failure") if k in line)
        print(f"{line['arm']} {line['episode']} {line['role']}: {line['learner']} {line['setting']} (agreement "
              f"{line['agreement']:.2f}, {line['margin']:.1f} BIC before {line['next']}); {shown}")
    for far in distances(store, name):
        near = sorted(CLASSICAL, key=far.__getitem__)
        print(f"{far['arm']} {far['role']}: distance to " + ", ".join(f"{n} {far[n]:.3f}" for n in near))
    return 0


COMMANDS: dict[str, Callable[[Namespace], int]] = {"simulate": simulate, "learners": learners}
