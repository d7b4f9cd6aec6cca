"""Arguments that several commands take, each added to a command's parser in the same words."""
import argparse

STORE = "parlour.duckdb"


def design(to: argparse.ArgumentParser) -> None:
    """A design file, and what is to be other than in it."""
    to.add_argument("design", metavar="DESIGN.toml")
    to.add_argument("--episodes", help="instead of the design's: a number per arm, or `exact`")
    to.add_argument("--seed", type=int, help="instead of the design's")
    to.add_argument("--concurrency", type=int, help="episodes at once, instead of the design's")
    to.add_argument("--budget", type=float, metavar="US$", help="stop before more is spent, instead of the design's")
    to.add_argument("--cache", choices=("off", "read-write", "read-only"), help="keep models' replies, or only those kept")
    inference(to)


def inference(to: argparse.ArgumentParser) -> None:
    """How clusters are reckoned with."""
    to.add_argument("--inference", choices=("t", "rademacher", "webb"), help="clusters by Student's t, or by the wild cluster bootstrap "
                    "with such weights, instead of the design's")


def game_fields(to: argparse.ArgumentParser) -> None:
    """Fields of a game."""
    to.add_argument("--set", action="append", default=[], metavar="FIELD=JSON", help="a field of the game; may be repeated")


def protocol(to: argparse.ArgumentParser) -> None:
    """A protocol and its fields."""
    to.add_argument("--protocol", default="", metavar="P", help="default: the game's usual one")
    to.add_argument("--with", dest="with_", action="append", default=[], metavar="FIELD=JSON",
                    help="a field of the protocol; may be repeated")


def where(to: argparse.ArgumentParser) -> None:
    """Where episodes are played."""
    to.add_argument("--on", choices=("here", "ray"), default="here", help="`ray`: on a Ray cluster (extra `cluster`)")
    to.add_argument("--shared", metavar="FOLDER", help="with --on ray: where workers write, a path all of them see or s3://...")
    to.add_argument("--workers", type=int, default=2, metavar="N", help="with --on ray: how many (default 2)")


def run(to: argparse.ArgumentParser) -> None:
    """A run in the store."""
    to.add_argument("run", metavar="RUN", nargs="?", default="latest", help="its name or the start of it (default: the latest)")


def contract(to: argparse.ArgumentParser) -> None:
    """Tables of scores and costs, and what is wanted of a contract."""
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


def store(to: argparse.ArgumentParser, default: str = STORE) -> None:
    """The store file."""
    to.add_argument("--store", default=default, metavar="FILE", help=f"the DuckDB file (default {default})")


def json(to: argparse.ArgumentParser) -> None:
    """JSON instead of tables."""
    to.add_argument("--json", action="store_true", help="print JSON, for scripts")
