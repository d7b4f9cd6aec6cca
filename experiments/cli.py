"""The command line. Parsing only; what a command does is in `commands.py`, loaded when one is given."""
import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

STORE = "parlour.duckdb"
PARTS = ("experiments.commands", "experiments.people", "experiments.rerun", "experiments.evidence", "experiments.learning",
         "experiments.contracts", "experiments.demo", "viewer.commands")
"""The modules of the package that hold the commands, each in COMMANDS. They are named here, and imported when one is given."""
HOME = (__package__ or "").rpartition(".")[0]


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
    run.add_argument("--seat", action="append", default=[], metavar="ROLE=AGENT", help="instead of the design's, in every arm that has the "
                     "role; `web` for a person in a browser. May be repeated")
    _where(run)
    _store(run)
    _json(run)

    resume = commands.add_parser("resume", help="take an interrupted or paused run up again")
    _run(resume)
    resume.add_argument("--budget", type=float, metavar="US$", help="for the whole run, instead of the one it was begun with")
    resume.add_argument("--as-begun", action="store_true", help="with the design as it was begun, though its file has been changed since")
    _where(resume)
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

    obeyed = commands.add_parser("compliance", help="whether contracts were obeyed, and what they were worth, from a run's rows",
                                 description="For runs of games in which one posts payments and another chooses in private.")
    _run(obeyed)
    obeyed.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    _store(obeyed)
    _json(obeyed)

    calibration = commands.add_parser("calibration", help="outcome chances of generators, or what briefs earn, from a run's scores",
                                      description="Reads a run in which writers wrote and evaluators scored: under protocol "
                                                  "calibration the chances of every generator, under brief_calibration the means of "
                                                  "every brief and style, and the solutions they make, with bootstrap intervals.")
    _run(calibration)
    calibration.add_argument("--to", metavar="FILE", help="also write the scores: counts, a row per model; of briefs a row per text, "
                                                          "or as .toml the [game] that they make")
    calibration.add_argument("--arm", metavar="NAME", help="of briefs: this arm alone (default: all)")
    calibration.add_argument("--level", type=float, default=0.95, help="of the intervals of briefs (default 0.95)")
    calibration.add_argument("--resamples", type=int, default=1000, metavar="N", help="for the intervals of briefs (default 1000)")
    calibration.add_argument("--seed", type=int, default=0, help="of the resamples")
    _store(calibration)
    _json(calibration)

    verify = commands.add_parser("verify", help="drive every script again by the recorded words: all must come out the same",
                                 description="Offline, without any model or key. Exit code 0: everything came out as recorded; "
                                             "1: something did not, and the first of it is named.")
    _run(verify)
    verify.add_argument("--root", help="the root that was noted when the run ended")
    _store(verify)
    _json(verify)

    design = commands.add_parser("design", help="a design in words and counts, and what is confounded in it; or lock it",
                                 description="check: explains a design back and says what cannot be told apart. lock: writes its hash "
                                             "beside it; every run of it then carries the hash and each deviation.")
    design.add_argument("what", choices=("check", "lock"))
    design.add_argument("design", metavar="DESIGN.toml")
    _json(design)

    plan = commands.add_parser("plan", help="how many episodes a design needs for a power or a precision, and their cost",
                               description="By simulation, for every primary hypothesis; values vary as in a pilot run, or else as "
                                           "when the mock plays. Calls nobody and needs no key.")
    plan.add_argument("design", metavar="DESIGN.toml")
    plan.add_argument("--effect", type=float, metavar="X", help="to be found, in units of the estimand")
    plan.add_argument("--precision", type=float, metavar="X", help="half-width of the interval to be reached")
    plan.add_argument("--power", type=float, default=0.8, help="chance of finding the effect (default 0.8)")
    plan.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    plan.add_argument("--icc", type=float, metavar="R", help="intraclass correlation of wordings, instead of the pilot's")
    plan.add_argument("--sd", type=float, metavar="S", help="standard deviation of one value, instead of the pilot's")
    plan.add_argument("--pilot", metavar="RUN", help="a run of this design, in --store")
    _store(plan)
    _json(plan)

    hypotheses = commands.add_parser("hypotheses", help="what became of the hypotheses that a run's design declares")
    _run(hypotheses)
    hypotheses.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    hypotheses.add_argument("--robust", action="store_true", help="also under every specification, and without each cluster")
    _store(hypotheses)
    _json(hypotheses)

    report = commands.add_parser("report", help="a run as one page, as Markdown, and its tables as CSV and LaTeX")
    _run(report)
    report.add_argument("--to", metavar="FOLDER", help="default: the run's name and -report")
    report.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    report.add_argument("--no-figures", action="store_true", help="tables only; does without matplotlib")
    _store(report)
    _json(report)

    bundle = commands.add_parser("bundle", help="a run in one archive for another machine; `bundle verify FILE` computes it again",
                                 description="Transcripts, design, report, versions and hashes. `parlour bundle verify FILE` needs no key "
                                             "and no network: it drives every script again and compares every cell of every table.")
    bundle.add_argument("run", metavar="RUN|verify", nargs="?", default="latest", help="a run (default: the latest), or `verify`")
    bundle.add_argument("file", metavar="FILE", nargs="?", help="with verify: the archive")
    bundle.add_argument("--to", metavar="FILE", help="default: the run's name and .tar.gz")
    bundle.add_argument("--no-figures", action="store_true", help="tables only; does without matplotlib")
    _store(bundle)
    _json(bundle)

    fork = commands.add_parser("fork", help="play recorded episodes again up to a turn, change one thing, play on",
                               description="The effect is the paired difference, fork minus origin, with its interval.")
    fork.add_argument("episodes", metavar="RUN/EPISODES", help="RUN/0,2,5-9 or RUN/all; numbers alone are of the latest run")
    fork.add_argument("--at", type=int, required=True, metavar="TURN", help="the first turn that is not repeated")
    fork.add_argument("--change", default="", metavar="WHAT", help="seat:ROLE=AGENT, wording=NAME or say:WORDS (default: nothing)")
    fork.add_argument("--times", type=int, default=1, metavar="K", help="copies of each; copy 0 has the seeds of its origin")
    fork.add_argument("--budget", type=float, metavar="US$", help="for the forks (default: what their origin was given, anew)")
    _store(fork)
    _json(fork)

    blame = commands.add_parser("blame", help="share the gap to the optimum among the seats, over the recorded episodes of a run",
                                description="Swaps seats for a benchmark's strategies, on the same states and draws (Shapley "
                                            "values: exact up to four seats).")
    _run(blame)
    blame.add_argument("--for", dest="role", default="sum", metavar="ROLE", help="whose gap: a role, or `sum` (default)")
    blame.add_argument("--benchmark", help="whose strategies (default: the game's usual benchmark)")
    blame.add_argument("--ask", action="store_true", help="let models be asked what is not on record, which may cost money")
    blame.add_argument("--budget", type=float, metavar="US$", help="for that (default: what the run was given, anew)")
    _store(blame)
    _json(blame)

    replay = commands.add_parser("replay", help="watch a recorded episode turn by turn")
    replay.add_argument("id", metavar="ID", help="RUN/EPISODE, or EPISODE of the latest run")
    replay.add_argument("--delay", type=float, default=0.0, metavar="S", help="seconds between turns (default 0)")
    _store(replay)

    fidelity = commands.add_parser("fidelity", help="how faithfully a simulator stands in for people, and what it costs if it does not",
                                   description="Everybody answers the same items: priors x thresholds x wordings x repeats, in three "
                                               "tasks. A respondent is `ideal`, a seat's spec (name, name:first-field, JSON), or "
                                               "NAME=SPEC. Rationality is the distance to the ideal type, fidelity that to people.")
    fidelity.add_argument("--truth", action="append", required=True, metavar="WHO",
                          help="the people; may be repeated; recorded:FILE.csv; or humans:DATASET")
    fidelity.add_argument("--simulator", action="append", required=True, metavar="WHO", help="who stands in for them; may be repeated")
    fidelity.add_argument("--priors", default="", metavar="P,P", help="one type each (default 0.2,0.4)")
    fidelity.add_argument("--thresholds", default="", metavar="T,T", help="of the rules (default: twelve from 0.05 to 0.7)")
    fidelity.add_argument("--repeats", type=int, default=10, help="of every item in every wording (default 10)")
    fidelity.add_argument("--attempts", type=int, default=3, help="replies to one ask before it is given up (default 3)")
    fidelity.add_argument("--wording", action="append", default=[], metavar="W", help="may be repeated (default: all)")
    fidelity.add_argument("--seed", type=int, default=0)
    fidelity.add_argument("--budget", type=float, metavar="US$", help="stop before more than this is spent")
    fidelity.add_argument("--cache", default="off", choices=("off", "read-write", "read-only"), help="keep models' replies")
    fidelity.add_argument("--estimate", action="store_true", help="say what it will take and how precise it will be; ask nobody")
    fidelity.add_argument("--page", metavar="FILE", help="write the report: .html, or .png for the picture alone")
    _store(fidelity)
    _json(fidelity)

    simulate = commands.add_parser("simulate", help="learner against learner over many seeds, compiled; curves into the store",
                                   description="Gone on with where it was cut off: seeds in the store are not simulated again.")
    simulate.add_argument("game", metavar="GAME", help="prompting")
    _game_fields(simulate)
    simulate.add_argument("--leader", nargs="+", default=["ucb1"], metavar="AGENT", help="learners to lead (default ucb1)")
    simulate.add_argument("--follower", nargs="+", default=["ucb1"], metavar="AGENT", help="learners to follow (default ucb1)")
    simulate.add_argument("--rounds", nargs="+", type=int, default=[10_000], metavar="T", help="horizons; several give a slope")
    simulate.add_argument("--seeds", type=int, default=256, metavar="N", help="how many (default 256)")
    simulate.add_argument("--seed", type=int, default=0, help="the first of them (default 0)")
    simulate.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    simulate.add_argument("--plot", metavar="FOLDER", help="draw regret and prompts there: PNG, SVG and the data as CSV")
    simulate.add_argument("--against", metavar="BENCHMARK", help="whose regret to draw (default: the game's first)")
    _store(simulate)
    _json(simulate)

    learners = commands.add_parser("learners", help="how the seats of a run learned: regret, exploration, the learner each is like",
                                   description="For runs of games that are played in rounds. Everything is computed from rows.")
    _run(learners)
    learners.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    learners.add_argument("--episodes", action="store_true", help="also the learner that explains each episode")
    learners.add_argument("--plot", metavar="FOLDER", help="draw regret and shares of arms there: PNG, SVG and the data as CSV")
    learners.add_argument("--against", metavar="BENCHMARK", help="whose regret to draw (default: the game's first)")
    _store(learners)
    _json(learners)

    recovery = commands.add_parser("recovery", help="how often `learners` recovers a learner that is known: the confusion matrix",
                                   description="Known learners play, each is fitted as `learners` does it, and what came out is counted.")
    recovery.add_argument("--choices", type=int, default=200, metavar="N", help="of each learner (default 200)")
    recovery.add_argument("--seeds", type=int, default=30, metavar="N", help="per algorithm and setting (default 30)")
    recovery.add_argument("--seed", type=int, default=0, help="the first of them (default 0)")
    recovery.add_argument("--seat", choices=("leader", "follower"), default="leader", help="where they sit (default leader)")
    _json(recovery)

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
    export.add_argument("--html", dest="command", action="store_const", const="export --html", default=argparse.SUPPRESS,
                        help="one self-contained file with tables, plots, transcripts and the result of verifying; private fields left out")
    export.add_argument("--format", default="csv", help="csv, jsonl or parquet (default csv)")
    export.add_argument("--to", help="file (csv, html) or folder; default: the run's name")
    _store(export)

    contract = commands.add_parser("contract", help="what to pay for text by its quality, from tables of scores and costs",
                                   description="The payments that make the best model the best choice of whoever runs it unseen, "
                                               "with diagnostics, confidence and a picture. See docs/contracts.md.")
    _contract(contract)
    _json(contract)

    server = commands.add_parser("mock-server", help="the mock LLM as an OpenAI-compatible server on loopback",
                                 description="Answers /v1/chat/completions on 127.0.0.1 with valid random moves, and "
                                             "misbehaves on purpose if asked to.")
    server.add_argument("--port", type=int, default=8100)
    server.add_argument("--rate", type=float, default=0.0, help="share of calls that get a fault (default 0)")
    server.add_argument("--limit", type=float, help="calls a second above which it answers 429 (default: none)")
    server.add_argument("--faults", default="", help="kinds of faults, comma-separated (default: all)")

    view = commands.add_parser("view", help="a page to look at runs, transcripts and curves",
                               description="Serves a read-only page over the store, on this machine alone unless told otherwise, at an "
                                           "address that holds a token. Needs the extra `view`, plots also `plots`.")
    view.add_argument("file", metavar="FILE", nargs="?", default=STORE, help=f"the store (default {STORE})")
    view.add_argument("--port", type=int, default=8711, help="default 8711; 0: any that is free")
    view.add_argument("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1, this machine)")
    view.add_argument("--open-to-others", action="store_true", help="allow a --host that other machines reach")
    view.add_argument("--browser", action="store_true", help="open it in the browser")

    demo = commands.add_parser("demo", help="the main job, offline, in seconds; or a demonstration with its report",
                               description="Without a name: a tour. With one: a question, what is expected by formula, what play found, "
                                           "and a report. --model puts a model in the mock's place.")
    demo.add_argument("name", metavar="NAME", nargs="?", help="one_ai_or_two, fidelity_cliff, who_is_to_blame, contract_clinic, placebo")
    demo.add_argument("--list", action="store_true", help="the demonstrations there are")
    demo.add_argument("--model", metavar="AGENT", help="in the mock's place, e.g. llm:gpt-4o-mini")
    demo.add_argument("--episodes", type=int, metavar="N", help="per arm, where episodes are sampled, instead of the design's")
    demo.add_argument("--to", metavar="FOLDER", help="where the report goes (default parlour-demo-NAME)")
    _store(demo, "parlour-demo.duckdb")
    _json(demo)

    examples = commands.add_parser("examples", help="the designs that ship; with --to, as files to run and change")
    examples.add_argument("names", metavar="NAME", nargs="*", help="default: all")
    examples.add_argument("--to", metavar="FOLDER", help="write them there")
    _json(examples)
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


def _where(to: argparse.ArgumentParser) -> None:
    to.add_argument("--on", choices=("here", "ray"), default="here", help="`ray`: on a Ray cluster (extra `cluster`)")
    to.add_argument("--shared", metavar="FOLDER", help="with --on ray: where workers write, a path all of them see or s3://...")
    to.add_argument("--workers", type=int, default=2, metavar="N", help="with --on ray: how many (default 2)")


def _run(to: argparse.ArgumentParser) -> None:
    to.add_argument("run", metavar="RUN", nargs="?", default="latest", help="its name or the start of it (default: the latest)")


def _contract(to: argparse.ArgumentParser) -> None:
    to.add_argument("--scores", required=True, metavar="CSV", help="model,score: a line per text; or model and a column per outcome")
    to.add_argument("--costs", required=True, metavar="CSV", help="model,cost")
    to.add_argument("--objective", choices=("pay", "budget", "deviation"), default="pay", help="what is to be least (default pay)")
    to.add_argument("--shape", choices=("free", "monotone", "threshold"), default="monotone", help="of the payments (default monotone)")
    to.add_argument("--robust", action="store_true", help="for all costs within the bound, not only for those given")
    to.add_argument("--bound", type=float, metavar="B", help="the most the target costs above any other (default: by the table)")
    to.add_argument("--target", metavar="MODEL", help="the model to be used (default: the costliest)")
    to.add_argument("--margin", type=float, default=0.0, metavar="EPS", help="by how much the target must be better (default 0)")
    to.add_argument("--participation", action="store_true", help="pay at least the target's cost on average")
    to.add_argument("--confidence", type=float, default=0.95, help="of the confident contract, against each model (default 0.95)")
    to.add_argument("--resamples", type=int, default=1000, metavar="N", help="contracts made from resamples (default 1000; 0: none)")
    to.add_argument("--seed", type=int, default=0, help="of the resamples")
    to.add_argument("--currency", default="US$")
    to.add_argument("--plot", metavar="FILE", help="a picture of payments and distributions (.png, .pdf, .svg)")


def _store(to: argparse.ArgumentParser, default: str = STORE) -> None:
    to.add_argument("--store", default=default, metavar="FILE", help=f"the DuckDB file (default {default})")


def _json(to: argparse.ArgumentParser) -> None:
    to.add_argument("--json", action="store_true", help="print JSON, for scripts")


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    """What a command does, from the first part that has it: only that part, and those before it, are loaded."""
    parts = (import_module(f"{HOME}.{part}").COMMANDS for part in PARTS)
    found: Callable[[argparse.Namespace], int] = next(commands[name] for commands in parts if name in commands)
    return found


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
    try:
        return _command(args.command)(args)
    except ParlourError as error:
        print(f"parlour: {error}", file=sys.stderr)
        return 2
    except ArithmeticError as error:  # a solver that says it found no answer; divisions by zero are bugs
        if isinstance(error, ZeroDivisionError | OverflowError | FloatingPointError):
            raise
        print(f"parlour: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader, e.g. `head`, has had enough
        return 0
    except KeyboardInterrupt:
        print("parlour: interrupted. What was said is kept; go on with: parlour resume", file=sys.stderr)
        return 130
