"""`parlour view`. Every function takes the parsed arguments and returns the exit code."""
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError
from ..transcripts.store import Store
from .server import LOOPBACK, prepared


def view(args: Namespace) -> int:
    """Serves the page until it is interrupted."""
    if args.host != LOOPBACK and args.host not in ("localhost", "::1") and not args.open_to_others:
        raise InputError(f"--host {args.host} would show the store to other machines, without encryption: add --open-to-others if that "
                         "is meant, or use an ssh tunnel.")
    server, listening, served = prepared(Path(args.file), args.host, args.port)
    print(f"{args.file} is at {served.address}\nRead-only; Ctrl-C ends it.", flush=True)
    if args.browser:
        import webbrowser
        webbrowser.open(served.address)
    try:
        server.run([listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
    print("ended.", file=sys.stderr)
    return 0


def export_html(args: Namespace) -> int:
    """A run as one file of HTML."""
    from ..transcripts.talk import find_run
    from .bundle import write
    store = Store(args.store)
    run = find_run(store, args.run)
    print(write(store, run, Path(args.to or f"{run}.html")))
    return 0


COMMANDS: dict[str, Callable[[Namespace], int]] = {"view": view, "export --html": export_html}
