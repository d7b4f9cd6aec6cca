"""The command line. Parsing only; what a command does is in `commands.py`, loaded when one is given."""
import argparse
import sys
from collections.abc import Sequence

STORE = "parlour.duckdb"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="parlour", description="Run LLM agents in economic games; score every transcript against the analytic optimum.",
        epilog="Begin with `parlour demo`, then `parlour games` and `parlour show GAME`.")
    top.add_argument("--version", action="store_true", help="print the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    for folder, what in (("games", "the games there are, a line each"), ("protocols", "the protocols, a line each"),
                         ("agents", "who can take a seat, a line each")):
        _json(commands.add_parser(folder, help=what, description=what))

    show = commands.add_parser("show", help="a game: its model, fields, roles, seats, benchmarks, wordings")
    show.add_argument("game", metavar="GAME")
    _game_fields(show)
    _protocol(show)

    benchmark = commands.add_parser("benchmark", help="the analytic solutions of a game under a protocol's rules")
    benchmark.add_argument("game", metavar="GAME")
    _game_fields(benchmark)
    _protocol(benchmark)
    _json(benchmark)

    play = commands.add_parser("play", help="one episode, watched; any seat may be `human`",
                               description="Plays one episode. A seat is a name, name:first-field, or JSON: "
                                           "--seat human=human --seat ai=llm:gpt-4o-mini. Empty seats go to the mock.")
    play.add_argument("game", metavar="GAME")
    _game_fields(play)
    _protocol(play)
    play.add_argument("--seat", action="append", default=[], metavar="ROLE=AGENT", help="who sits where; may be repeated")
    play.add_argument("--wording", default="plain", help="how the game is told (see `show`)")
    play.add_argument("--seed", type=int, default=0)
    _store(play)
    _json(play)

    estimate = commands.add_parser("estimate", help="what a design will take: calls, tokens, money, time",
                                   description="Plays a few episodes with the mock in each model's place. Calls nobody and needs "
                                               "no key.")
    _design(estimate)
    _json(estimate)

    run = commands.add_parser("run", help="an experiment from a design file")
    _design(run)
    run.add_argument("--on", choices=("here", "ray"), default="here", help="`ray`: on a Ray cluster (extra `cluster`)")
    run.add_argument("--shared", metavar="FOLDER", help="with --on ray: where workers write, a path all of them see or s3://...")
    run.add_argument("--workers", type=int, default=2, metavar="N", help="with --on ray: how many (default 2)")
    _store(run)
    _json(run)

    resume = commands.add_parser("resume", help="take an interrupted or paused run up again")
    _run(resume)
    resume.add_argument("--budget", type=float, metavar="US$", help="for the whole run, instead of the one it was begun with")
    _store(resume)
    _json(resume)

    score = commands.add_parser("score", help="compute a run's table from its rows, and keep the scores")
    _run(score)
    score.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    score.add_argument("--recompute", action="store_true",
                       help="gaps to the benchmarks as this version computes them, and where they differ from those on record")
    score.add_argument("--list", action="store_true", help="the sets of scores that were kept; nothing is computed")
    _store(score)
    _json(score)

    verify = commands.add_parser("verify", help="drive every script again by the recorded words: all must come out the same",
                                 description="Offline, without any model or key. Exit code 0: everything came out as recorded; "
                                             "1: something did not, and the first of it is named.")
    _run(verify)
    verify.add_argument("--root", help="the root that was noted when the run ended")
    _store(verify)
    _json(verify)

    fork = commands.add_parser("fork", help="play recorded episodes again up to a turn, change one thing, play on",
                               description="The effect is the paired difference, fork minus origin, with its interval.")
    fork.add_argument("episodes", metavar="RUN/EPISODES", help="RUN/0,2,5-9 or RUN/all; numbers alone are of the latest run")
    fork.add_argument("--at", type=int, required=True, metavar="TURN", help="the first turn that is not repeated")
    fork.add_argument("--change", default="", metavar="WHAT", help="seat:ROLE=AGENT, wording=NAME or say:WORDS (default: nothing)")
    fork.add_argument("--times", type=int, default=1, metavar="K", help="copies of each; copy 0 has the seeds of its origin")
    _store(fork)
    _json(fork)

    blame = commands.add_parser("blame", help="share the gap to the optimum among the seats, over the recorded episodes of a run",
                                description="Swaps seats for a benchmark's strategies, on the same states and draws (Shapley "
                                            "values: exact up to four seats).")
    _run(blame)
    blame.add_argument("--for", dest="role", default="sum", metavar="ROLE", help="whose gap: a role, or `sum` (default)")
    blame.add_argument("--benchmark", help="whose strategies (default: the game's usual benchmark)")
    blame.add_argument("--ask", action="store_true", help="let models be asked what is not on record, which may cost money")
    _store(blame)
    _json(blame)

    replay = commands.add_parser("replay", help="watch a recorded episode turn by turn")
    replay.add_argument("id", metavar="ID", help="RUN/EPISODE, or EPISODE of the latest run")
    replay.add_argument("--delay", type=float, default=0.0, metavar="S", help="seconds between turns (default 0)")
    _store(replay)

    runs = commands.add_parser("runs", help="the runs in a store")
    _store(runs)
    _json(runs)

    transcript = commands.add_parser("transcript", help="read one episode")
    transcript.add_argument("id", metavar="ID", help="RUN/EPISODE, or EPISODE of the latest run")
    _store(transcript)
    _json(transcript)

    sql = commands.add_parser("sql", help="ask the store anything")
    sql.add_argument("query", metavar="QUERY")
    _store(sql)
    _json(sql)

    export = commands.add_parser("export", help="a run as Parquet, JSON lines, or tidy long CSV")
    _run(export)
    export.add_argument("--format", default="csv", help="csv, jsonl or parquet (default csv)")
    export.add_argument("--to", help="file (csv) or folder; default: the run's name")
    _store(export)

    server = commands.add_parser("mock-server", help="the mock LLM as an OpenAI-compatible server on loopback",
                                 description="Answers /v1/chat/completions on 127.0.0.1 with valid random moves, and "
                                             "misbehaves on purpose if asked to.")
    server.add_argument("--port", type=int, default=8100)
    server.add_argument("--rate", type=float, default=0.0, help="share of calls that get a fault (default 0)")
    server.add_argument("--limit", type=float, help="calls a second above which it answers 429 (default: none)")
    server.add_argument("--faults", default="", help="kinds of faults, comma-separated (default: all)")

    demo = commands.add_parser("demo", help="the main job, offline, in seconds")
    _store(demo, "parlour-demo.duckdb")
    return top


def _design(to: argparse.ArgumentParser) -> None:
    to.add_argument("design", metavar="DESIGN.toml")
    to.add_argument("--episodes", help="instead of the design's: a number per arm, or `exact`")
    to.add_argument("--seed", type=int, help="instead of the design's")
    to.add_argument("--concurrency", type=int, help="episodes at once, instead of the design's")
    to.add_argument("--budget", type=float, metavar="US$", help="stop before more is spent, instead of the design's")
    to.add_argument("--cache", choices=("off", "read-write", "read-only"), help="keep models' replies, or only those kept")


def _game_fields(to: argparse.ArgumentParser) -> None:
    to.add_argument("--set", action="append", default=[], metavar="FIELD=JSON", help="a field of the game; may be repeated")


def _protocol(to: argparse.ArgumentParser) -> None:
    to.add_argument("--protocol", default="", metavar="P", help="default: the game's usual one")
    to.add_argument("--with", dest="with_", action="append", default=[], metavar="FIELD=JSON",
                    help="a field of the protocol; may be repeated")


def _run(to: argparse.ArgumentParser) -> None:
    to.add_argument("run", metavar="RUN", nargs="?", default="latest", help="its name or the start of it (default: the latest)")


def _store(to: argparse.ArgumentParser, default: str = STORE) -> None:
    to.add_argument("--store", default=default, metavar="FILE", help=f"the DuckDB file (default {default})")


def _json(to: argparse.ArgumentParser) -> None:
    to.add_argument("--json", action="store_true", help="print JSON, for scripts")


def main(argv: Sequence[str] | None = None) -> int:
    """The `parlour` command. 0: done; 2: bad input, with one line on stderr; 130: interrupted."""
    args = parser().parse_args(argv)
    if args.version:
        from .. import __version__
        print(__version__)
        return 0
    if args.command is None:
        parser().print_help()
        return 0
    from ..errors import ParlourError
    from . import commands, rerun
    try:
        return {**commands.COMMANDS, **rerun.COMMANDS}[args.command](args)
    except ParlourError as error:
        print(f"parlour: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader, e.g. `head`, has had enough
        return 0
    except KeyboardInterrupt:
        print("parlour: interrupted. What was said is kept; go on with: parlour resume", file=sys.stderr)
        return 130
