"""What every command takes, in words: a function per command, in the order in which help lists them."""
import argparse
from typing import TYPE_CHECKING

from . import arguments as add

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _listings(commands: "Commands") -> None:
    for folder, what in (("games", "the games there are, a line each"), ("protocols", "the protocols, a line each"),
                         ("agents", "who can take a seat, a line each")):
        add.json(commands.add_parser(folder, help=what, description=what))


def _show(commands: "Commands") -> None:
    to = commands.add_parser("show", help="a game: its model, fields, roles, seats, benchmarks, wordings")
    to.add_argument("game", metavar="GAME")
    add.game_fields(to)
    add.protocol(to)


def _benchmark(commands: "Commands") -> None:
    to = commands.add_parser("benchmark", help="the analytic solutions of a game under a protocol's rules")
    to.add_argument("game", metavar="GAME")
    add.game_fields(to)
    add.protocol(to)
    add.json(to)


def _play(commands: "Commands") -> None:
    to = commands.add_parser("play", help="one episode, watched; any seat may be `human`",
                             description="Plays one episode. A seat is a name, name:first-field, or JSON: "
                                         "--seat human=human --seat ai=llm:gpt-4o-mini. Empty seats go to the mock.")
    to.add_argument("game", metavar="GAME")
    add.game_fields(to)
    add.protocol(to)
    to.add_argument("--seat", action="append", default=[], metavar="ROLE=AGENT", help="who sits where; may be repeated")
    to.add_argument("--wording", default="plain", help="how the game is told (see `show`)")
    to.add_argument("--seed", type=int, default=0)
    add.store(to)
    add.json(to)


def _estimate(commands: "Commands") -> None:
    to = commands.add_parser("estimate", help="what a design will take: calls, tokens, money, time",
                             description="Plays a few episodes with the mock in each model's place. Calls nobody and needs "
                                         "no key.")
    add.design(to)
    add.json(to)


def _run(commands: "Commands") -> None:
    to = commands.add_parser("run", help="an experiment from a design file")
    add.design(to)
    to.add_argument("--seat", action="append", default=[], metavar="ROLE=AGENT", help="instead of the design's, in every arm that has the "
                    "role; `web` for a person in a browser. May be repeated")
    add.where(to)
    add.store(to)
    add.json(to)


def _resume(commands: "Commands") -> None:
    to = commands.add_parser("resume", help="take an interrupted or paused run up again")
    add.run(to)
    to.add_argument("--budget", type=float, metavar="US$", help="for the whole run, instead of the one it was begun with")
    to.add_argument("--as-begun", action="store_true", help="with the design as it was begun, though its file has been changed since")
    add.where(to)
    add.store(to)
    add.json(to)


def _score(commands: "Commands") -> None:
    to = commands.add_parser("score", help="compute a run's table from its rows, and keep the scores")
    add.run(to)
    to.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    to.add_argument("--recompute", action="store_true",
                    help="gaps to the benchmarks as this version computes them, and where they differ from those on record")
    to.add_argument("--list", action="store_true", help="the sets of scores that were kept; nothing is computed")
    add.store(to)
    add.json(to)


def _compliance(commands: "Commands") -> None:
    to = commands.add_parser("compliance", help="whether contracts were obeyed, and what they were worth, from a run's rows",
                             description="For runs of games in which one posts payments and another chooses in private.")
    add.run(to)
    to.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    add.store(to)
    add.json(to)


def _calibration(commands: "Commands") -> None:
    to = commands.add_parser("calibration", help="outcome chances of generators, or what briefs earn, from a run's scores",
                             description="Reads a run in which writers wrote and evaluators scored: under protocol "
                                         "calibration the chances of every generator, under brief_calibration the means of "
                                         "every brief and style, and the solutions they make, with bootstrap intervals.")
    add.run(to)
    to.add_argument("--to", metavar="FILE", help="also write the scores: counts, a row per model; of briefs a row per text, "
                                                 "or as .toml the [game] that they make")
    to.add_argument("--arm", metavar="NAME", help="of briefs: this arm alone (default: all)")
    to.add_argument("--level", type=float, default=0.95, help="of the intervals of briefs (default 0.95)")
    to.add_argument("--resamples", type=int, default=1000, metavar="N", help="for the intervals of briefs (default 1000)")
    to.add_argument("--seed", type=int, default=0, help="of the resamples")
    add.store(to)
    add.json(to)


def _verify(commands: "Commands") -> None:
    to = commands.add_parser("verify", help="drive every script again by the recorded words: all must come out the same",
                             description="Offline, without any model or key. Exit code 0: everything came out as recorded; "
                                         "1: something did not, and the first of it is named.")
    add.run(to)
    to.add_argument("--root", help="the root that was noted when the run ended")
    add.store(to)
    add.json(to)


def _design(commands: "Commands") -> None:
    to = commands.add_parser("design", help="a design in words and counts, and what is confounded in it; or lock it",
                             description="check: explains a design back and says what cannot be told apart. lock: writes its hash "
                                         "beside it; every run of it then carries the hash and each deviation.")
    to.add_argument("what", choices=("check", "lock"))
    to.add_argument("design", metavar="DESIGN.toml")
    add.json(to)


def _plan(commands: "Commands") -> None:
    to = commands.add_parser("plan", help="how many episodes a design needs for a power or a precision, and their cost",
                             description="By simulation, for every primary hypothesis; values vary as in a pilot run, or else as "
                                         "when the mock plays. Calls nobody and needs no key.")
    to.add_argument("design", metavar="DESIGN.toml")
    to.add_argument("--effect", type=float, metavar="X", help="to be found, in units of the estimand")
    to.add_argument("--precision", type=float, metavar="X", help="half-width of the interval to be reached")
    to.add_argument("--power", type=float, default=0.8, help="chance of finding the effect (default 0.8)")
    to.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    to.add_argument("--icc", type=float, metavar="R", help="intraclass correlation of wordings, instead of the pilot's")
    to.add_argument("--sd", type=float, metavar="S", help="standard deviation of one value, instead of the pilot's")
    to.add_argument("--pilot", metavar="RUN", help="a run of this design, in --store")
    add.store(to)
    add.json(to)


def _hypotheses(commands: "Commands") -> None:
    to = commands.add_parser("hypotheses", help="what became of the hypotheses that a run's design declares")
    add.run(to)
    to.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    add.inference(to)
    to.add_argument("--robust", action="store_true", help="also under every specification, and without each cluster")
    add.store(to)
    add.json(to)


def _report(commands: "Commands") -> None:
    to = commands.add_parser("report", help="a run as one page, as Markdown, and its tables as CSV and LaTeX")
    add.run(to)
    to.add_argument("--to", metavar="FOLDER", help="default: the run's name and -report")
    to.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    to.add_argument("--no-figures", action="store_true", help="tables only; does without matplotlib")
    add.store(to)
    add.json(to)


def _bundle(commands: "Commands") -> None:
    to = commands.add_parser("bundle", help="a run in one archive for another machine; `bundle verify FILE`, `bundle open FILE`",
                             description="Transcripts, design, report, versions and hashes. `parlour bundle verify FILE` needs no key "
                                         "and no network: it drives every script again and compares every cell of every table. "
                                         "`parlour bundle open FILE --store x.duckdb` takes its transcripts into a store, to be read.")
    to.add_argument("run", metavar="RUN|verify|open", nargs="?", default="latest", help="a run (default: the latest), `verify`, or `open`")
    to.add_argument("file", metavar="FILE", nargs="?", help="with verify or open: the archive")
    to.add_argument("--to", metavar="FILE", help="default: the run's name and .tar.gz")
    to.add_argument("--no-figures", action="store_true", help="tables only; does without matplotlib")
    add.store(to)
    add.json(to)


def _fork(commands: "Commands") -> None:
    to = commands.add_parser("fork", help="play recorded episodes again up to a turn, change one thing, play on",
                             description="The effect is the paired difference, fork minus origin, with its interval.")
    to.add_argument("episodes", metavar="RUN/EPISODES", help="RUN/0,2,5-9 or RUN/all; numbers alone are of the latest run")
    to.add_argument("--at", type=int, required=True, metavar="TURN", help="the first turn that is not repeated")
    to.add_argument("--change", default="", metavar="WHAT", help="seat:ROLE=AGENT, wording=NAME or say:WORDS (default: nothing)")
    to.add_argument("--times", type=int, default=1, metavar="K", help="copies of each; copy 0 has the seeds of its origin")
    to.add_argument("--budget", type=float, metavar="US$", help="for the forks (default: what their origin was given, anew)")
    add.store(to)
    add.json(to)


def _blame(commands: "Commands") -> None:
    to = commands.add_parser("blame", help="share the gap to the optimum among the seats, over the recorded episodes of a run",
                             description="Swaps seats for a benchmark's strategies, on the same states and draws (Shapley "
                                         "values: exact up to four seats).")
    add.run(to)
    to.add_argument("--for", dest="role", default="sum", metavar="ROLE", help="whose gap: a role, or `sum` (default)")
    to.add_argument("--benchmark", help="whose strategies (default: the game's usual benchmark)")
    to.add_argument("--ask", action="store_true", help="let models be asked what is not on record, which may cost money")
    to.add_argument("--budget", type=float, metavar="US$", help="for that (default: what the run was given, anew)")
    add.store(to)
    add.json(to)


def _replay(commands: "Commands") -> None:
    to = commands.add_parser("replay", help="watch a recorded episode turn by turn")
    to.add_argument("id", metavar="ID", help="RUN/EPISODE, or EPISODE of the latest run")
    to.add_argument("--delay", type=float, default=0.0, metavar="S", help="seconds between turns (default 0)")
    add.store(to)


def _fidelity(commands: "Commands") -> None:
    to = commands.add_parser("fidelity", help="how faithfully a simulator stands in for people, and what it costs if it does not",
                             description="Everybody answers the same items: priors x thresholds x wordings x repeats, in three "
                                         "tasks. A respondent is `ideal`, a seat's spec (name, name:first-field, JSON), or "
                                         "NAME=SPEC. Rationality is the distance to the ideal type, fidelity that to people.")
    to.add_argument("--truth", action="append", required=True, metavar="WHO",
                    help="the people; may be repeated; recorded:FILE.csv; or humans:DATASET")
    to.add_argument("--simulator", action="append", required=True, metavar="WHO", help="who stands in for them; may be repeated")
    to.add_argument("--priors", default="", metavar="P,P", help="one type each (default 0.2,0.4)")
    to.add_argument("--thresholds", default="", metavar="T,T", help="of the rules (default: twelve from 0.05 to 0.7)")
    to.add_argument("--message", action="append", default=[], choices=("buy", "leave"),
                    help="what is said by the rule; may be repeated (default buy)")
    to.add_argument("--repeats", type=int, help="of every item in every wording (default 2; of questions to people on record 10)")
    to.add_argument("--attempts", type=int, default=3, help="replies to one ask before it is given up (default 3)")
    to.add_argument("--wording", action="append", default=[], metavar="W", help="may be repeated; or all (default: eight of sixteen that "
                    "cross wording, order and labels; of questions to people on record all)")
    to.add_argument("--seed", type=int, default=0)
    to.add_argument("--budget", type=float, metavar="US$", help="stop before more than this is spent")
    to.add_argument("--cache", default="off", choices=("off", "read-write", "read-only"), help="keep models' replies")
    to.add_argument("--estimate", action="store_true", help="say what it will take and how precise it will be; ask nobody")
    to.add_argument("--page", metavar="FILE", help="write the report: .html, or .png for the picture alone")
    add.store(to)
    add.json(to)


def _simulate(commands: "Commands") -> None:
    to = commands.add_parser("simulate", help="learner against learner over many seeds, compiled; curves into the store",
                             description="Gone on with where it was cut off: seeds in the store are not simulated again.")
    to.add_argument("game", metavar="GAME", help="prompting")
    add.game_fields(to)
    to.add_argument("--leader", nargs="+", default=["ucb1"], metavar="AGENT", help="learners to lead (default ucb1)")
    to.add_argument("--follower", nargs="+", default=["ucb1"], metavar="AGENT", help="learners to follow (default ucb1)")
    to.add_argument("--rounds", nargs="+", type=int, default=[10_000], metavar="T", help="horizons; several give a slope")
    to.add_argument("--seeds", type=int, default=256, metavar="N", help="how many (default 256)")
    to.add_argument("--seed", type=int, default=0, help="the first of them (default 0)")
    to.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    to.add_argument("--plot", metavar="FOLDER", help="draw regret and prompts there: PNG, SVG and the data as CSV")
    to.add_argument("--against", metavar="BENCHMARK", help="whose regret to draw (default: the game's first)")
    add.store(to)
    add.json(to)


def _learners(commands: "Commands") -> None:
    to = commands.add_parser("learners", help="how the seats of a run learned: regret, exploration, the learner each is like",
                             description="For runs of games that are played in rounds. Everything is computed from rows.")
    add.run(to)
    to.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    to.add_argument("--episodes", action="store_true", help="also the learner that explains each episode")
    to.add_argument("--plot", metavar="FOLDER", help="draw regret and shares of arms there: PNG, SVG and the data as CSV")
    to.add_argument("--against", metavar="BENCHMARK", help="whose regret to draw (default: the game's first)")
    add.store(to)
    add.json(to)


def _recovery(commands: "Commands") -> None:
    to = commands.add_parser("recovery", help="how often `learners` recovers a learner that is known: the confusion matrix",
                             description="Known learners play, each is fitted as `learners` does it, and what came out is counted.")
    to.add_argument("--choices", type=int, default=200, metavar="N", help="of each learner (default 200)")
    to.add_argument("--seeds", type=int, default=30, metavar="N", help="per algorithm and setting (default 30)")
    to.add_argument("--seed", type=int, default=0, help="the first of them (default 0)")
    to.add_argument("--seat", choices=("leader", "follower"), default="leader", help="where they sit (default leader)")
    add.json(to)


def _runs(commands: "Commands") -> None:
    to = commands.add_parser("runs", help="the runs in a store")
    add.store(to)
    add.json(to)


def _transcript(commands: "Commands") -> None:
    to = commands.add_parser("transcript", help="read one episode")
    to.add_argument("id", metavar="ID", help="RUN/EPISODE, or EPISODE of the latest run")
    add.store(to)
    add.json(to)


def _sql(commands: "Commands") -> None:
    to = commands.add_parser("sql", help="ask the store anything")
    to.add_argument("query", metavar="QUERY")
    add.store(to)
    add.json(to)


def _export(commands: "Commands") -> None:
    to = commands.add_parser("export", help="a run as Parquet, JSON lines, or tidy long CSV")
    add.run(to)
    to.add_argument("--html", dest="command", action="store_const", const="export --html", default=argparse.SUPPRESS,
                    help="one self-contained file with tables, plots, transcripts and the result of verifying; private fields left out")
    to.add_argument("--format", default="csv", help="csv, jsonl or parquet (default csv)")
    to.add_argument("--to", help="file (csv, html) or folder; default: the run's name")
    add.store(to)


def _contract(commands: "Commands") -> None:
    to = commands.add_parser("contract", help="what to pay for text by its quality, from tables of scores and costs",
                             description="The payments that make the best model the best choice of whoever runs it unseen, "
                                         "with diagnostics, confidence and a picture. See docs/contracts.md.")
    add.contract(to)
    add.json(to)


def _mock_server(commands: "Commands") -> None:
    to = commands.add_parser("mock-server", help="the mock LLM as an OpenAI-compatible server on loopback",
                             description="Answers /v1/chat/completions on 127.0.0.1 with valid random moves, and "
                                         "misbehaves on purpose if asked to.")
    to.add_argument("--port", type=int, default=8100)
    to.add_argument("--rate", type=float, default=0.0, help="share of calls that get a fault (default 0)")
    to.add_argument("--limit", type=float, help="calls a second above which it answers 429 (default: none)")
    to.add_argument("--faults", default="", help="kinds of faults, comma-separated (default: all)")


def _view(commands: "Commands") -> None:
    to = commands.add_parser("view", help="a page to look at runs, transcripts and curves",
                             description="Serves a read-only page over the store, on this machine alone unless told otherwise, at an "
                                         "address that holds a token. Needs the extra `view`, plots also `plots`.")
    to.add_argument("file", metavar="FILE", nargs="?", default=add.STORE, help=f"the store (default {add.STORE})")
    to.add_argument("--port", type=int, default=8711, help="default 8711; 0: any that is free")
    to.add_argument("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1, this machine)")
    to.add_argument("--open-to-others", action="store_true", help="allow a --host that other machines reach")
    to.add_argument("--browser", action="store_true", help="open it in the browser")


def _demo(commands: "Commands") -> None:
    to = commands.add_parser("demo", help="the main job, offline, in seconds; or a demonstration with its report",
                             description="Without a name: a tour. With one: a question, what is expected by formula, what play found, "
                                         "and a report. --model puts a model in the mock's place.")
    to.add_argument("name", metavar="NAME", nargs="?", help="one_ai_or_two, fidelity_cliff, who_is_to_blame, contract_clinic, placebo")
    to.add_argument("--list", action="store_true", help="the demonstrations there are")
    to.add_argument("--model", metavar="AGENT", help="in the mock's place, e.g. llm:gpt-4o-mini")
    to.add_argument("--episodes", type=int, metavar="N", help="per arm, where episodes are sampled, instead of the design's")
    to.add_argument("--to", metavar="FOLDER", help="where the report goes (default parlour-demo-NAME)")
    add.store(to, "parlour-demo.duckdb")
    add.json(to)


def _examples(commands: "Commands") -> None:
    to = commands.add_parser("examples", help="the designs that ship; with --to, as files to run and change")
    to.add_argument("names", metavar="NAME", nargs="*", help="default: all")
    to.add_argument("--to", metavar="FOLDER", help="write them there")
    add.json(to)


ALL = (_listings, _show, _benchmark, _play, _estimate, _run, _resume, _score, _compliance, _calibration, _verify, _design, _plan,
       _hypotheses, _report, _bundle, _fork, _blame, _replay, _fidelity, _simulate, _learners, _recovery, _runs, _transcript, _sql,
       _export, _contract, _mock_server, _view, _demo, _examples)
