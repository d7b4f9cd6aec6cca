"""The main job in seconds, offline: games with and without AI advice, a table beside the benchmarks, one transcript."""
from importlib import resources

from ..transcripts.scores import score
from ..transcripts.store import Store
from ..transcripts.talk import as_text, talk
from .api import synchronous
from .design import Design, make_design
from .runner import start
from .screen import progress, table


def design() -> Design:
    """The demonstration's design, as it ships with the package."""
    import tomllib
    return make_design(tomllib.loads((resources.files(__package__) / "demo.toml").read_text()), "demo.toml")


def demo(store: Store) -> int:
    """Plays it, prints the table, one transcript and where everything is."""
    made = design()
    with progress(made) as bar:
        run, _ = synchronous(start(made, store, on_episode=bar))
    table(score(store, run))
    print("\nOne transcript of these, word for word:\n")
    print(as_text(talk(store, run, 1)))
    print(f"\nEverything that was said is in {store.path}. Look on with\n"
          f"  parlour transcript {run}/2 --store {store.path}\n"
          f"  parlour sql \"SELECT arm, role, avg(net) FROM tidy GROUP BY ALL\" --store {store.path}\n"
          "  parlour games")
    return 0
