"""The command line. Parsing only; what a command takes is in `synopses.py`, what it does in PARTS, loaded when one is given."""
import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from .synopses import ALL

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
    for synopsis in ALL:
        synopsis(commands)
    return top


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
