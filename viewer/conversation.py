"""One episode as a conversation: the words of every turn, and beside them what the speaker knew when speaking."""
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from ..errors import ParlourError
from ..games.base import Wording
from ..protocols.codec import decode, reasoning
from ..registry import build
from ..transcripts.seal import hashed
from ..transcripts.store import Store
from ..transcripts.talk import Talk
from .privacy import People, holds_private, public, public_words

SPAN = 120
"""Turns on one page."""
KNOWN = 8
"""Earlier things a seat knew that are repeated beside a turn; of those before, the turns are named."""


@dataclass(frozen=True)
class Knowledge:
    """What a seat knew. new: told with this ask; before: the last told before, with their turns; earlier: how many more there are."""
    new: list[str]
    before: list[tuple[int, str]]
    earlier: int


@dataclass(frozen=True)
class Said:
    """One attempt. words: as they came; thought: its private reasoning; plain: free speech rather than data."""
    words: str | None
    verdict: str
    complaint: str
    thought: str | None
    about: list[tuple[str, str]]


@dataclass(frozen=True)
class Line:
    """One turn. draw: nature's, in words, and then nothing else is set; move: as it was understood; bad: attempts before the last."""
    turn: int
    role: str = ""
    side: int = 0
    want: str = ""
    optional: bool = False
    draw: str = ""
    knows: Knowledge | None = None
    prompt: str = ""
    bad: list[Said] = field(default_factory=list)
    last: Said | None = None
    move: str = ""
    plain: bool = False


@dataclass(frozen=True)
class Conversation:
    """The lines of some turns. first, turns: where they begin, and how many there are in all."""
    lines: list[Line]
    first: int
    turns: int
    state: str


def conversation(store: Store, talk: Talk, first: int = 0, span: int = SPAN, people: People | None = None) -> Conversation:
    """The turns from `first` on, so many of them. people: for eyes outside the house, private fields and thoughts left out."""
    tell = _teller(store, talk, people is not None)
    roles = list(dict.fromkeys(e["role"] for e in talk.entries if "role" in e))
    known: dict[str, list[tuple[int, str]]] = {r: [] for r in roles}
    lines = []
    for entry in talk.entries:
        shown = first <= entry["turn"] < first + span
        if "draw" in entry:
            lines += [_draw(entry)] if shown else []
            continue
        role = entry["role"]
        told = [tell(role, n) for n in from_json(entry["news"])]
        if shown:
            before = known[role]
            knows = Knowledge(told, before[-KNOWN:], max(0, len(before) - KNOWN))
            lines.append(_line(entry, roles.index(role) % 4, knows, people))
        known[role] += [(entry["turn"], text) for text in told]
    state = from_json(talk.about["state"])
    return Conversation(lines, first, len(talk.entries), _fields(public(state) if people else state))


def _teller(store: Store, talk: Talk, outside: bool) -> Callable[[str, Mapping[str, Any]], str]:
    """(role, observation as a row) -> the observation in the wording it was told in; as data where its game is not installed."""
    wording = Wording()
    try:
        row = store.rows("SELECT game, game_fields FROM arm WHERE run = ? AND arm = ?", [talk.run, talk.about["arm"]])[0]
        game = build("games", row["game"], from_json(row["game_fields"]))
        wording = next(w for w in game.wordings if w.name == talk.about["wording"])
    except (ParlourError, StopIteration):
        return lambda role, news: _fields(public(news) if outside else news)

    def tell(role: str, news: Mapping[str, Any]) -> str:
        if outside and holds_private(news):
            return _fields(public(news))
        try:
            return str(decode(dict(news)).say(wording, role))
        except (ParlourError, KeyError, ValueError):
            return _fields(news)
    return tell


def _draw(entry: Mapping[str, Any]) -> Line:
    chance = entry["chances"][entry["draw"]]
    return Line(entry["turn"], draw=f"nature draws {entry['what']}: {entry['draw']} (chance {chance:g})")


def _line(entry: Mapping[str, Any], side: int, knows: Knowledge, people: People | None) -> Line:
    said = [_said(t, people) for t in entry["attempts"]]
    good = said[-1] if said and said[-1].verdict == "ok" else None
    move = next((t["move"] for t in reversed(entry["attempts"]) if t["verdict"] == "ok"), None)
    hidden = people and any(map(holds_private, from_json(entry["news"])))
    prompt = "" if hidden else next((t["prompt_text"] for t in entry["attempts"] if t["prompt_text"]), "")
    plain = bool(good and good.words and not good.words.lstrip().startswith("{"))
    return Line(entry["turn"], entry["role"], side, entry["want"], entry["optional"], "", knows, prompt, said[:-1] if good else said, good,
                _fields(public(from_json(move)) if people else from_json(move)) if move else "passes" if good else "", plain)


def _said(t: Mapping[str, Any], people: People | None) -> Said:
    tokens = f"{t['tokens_in'] or 0} in, {t['tokens_out'] or 0} out" if t["tokens_in"] is not None or t["tokens_out"] is not None else ""
    who = people.name(t["fingerprint"]) if people and t["fingerprint"] and not t["model"] else t["fingerprint"] or ""
    about = [("model", t["model"] or ""), ("who", who), ("tokens", tokens),
             ("US$", f"{t['cost']:.4g}" if t["cost"] else ""), ("seconds", f"{t['latency']:.3g}" if t["latency"] else ""),
             ("", "from the cache" if t["cached"] else "")]
    words = public_words(t["words"], t["move"]) if people else t["words"]
    return Said(words, t["verdict"], t["complaint"] or "", reasoning(words) if words else None, [x for x in about if x[1]])


def _fields(row: Mapping[str, Any]) -> str:
    """A row of {type, fields} for people: "Report: report = A"."""
    inner = ", ".join(f"{k} = {_fields(v) if isinstance(v, dict) and 'type' in v else _value(v)}" for k, v in row["fields"].items())
    return row["type"].rpartition(".")[2] + (f": {inner}" if inner else "")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)


# --- what it came to ----------------------------------------------------------------------------------------------------
def worth(talk: Talk) -> list[dict[str, Any]]:
    """One line per role: gross, fee, net, and the value of every benchmark that speaks of it."""
    marks = [(b["name"], b["kind"], from_json(b["value"])) for b in talk.benchmarks]
    return [{**p, "marks": [(name, kind, value[p["role"]]) for name, kind, value in marks if value.get(p["role"]) is not None]}
            for p in talk.payoffs]


def sealed(store: Store, run: str, episode: int) -> str:
    """Whether the rows of an episode are those that were sealed: `unchanged`, `changed`, `open` (not ended), `unsealed`."""
    with store.reading(), store.open() as db:
        kept = db.execute("SELECT hash FROM seal WHERE run = ? AND episode = ?", [run, episode]).fetchone()
        now = hashed(db, run, episode, episode + 1).get(episode)
    if now is None:
        return "open"
    return "unsealed" if kept is None else "unchanged" if kept[0] == now else "changed"


def forks(store: Store, talk: Talk, name: str) -> Iterator[tuple[int, str]]:
    """(turn, the command that plays on from there with another seat)."""
    for entry in talk.entries:
        if "role" in entry:
            yield entry["turn"], (f"parlour fork {talk.run}/{talk.episode} --at {entry['turn']} --change seat:{entry['role']}=AGENT "
                                  f"--store {name}")


def differing(a: Sequence[Line], b: Sequence[Line]) -> Iterator[tuple[Line | None, Line | None, bool]]:
    """The lines of two episodes turn by turn, and whether they say something else."""
    left, right = {x.turn: x for x in a}, {x.turn: x for x in b}
    for turn in sorted(left.keys() | right.keys()):
        x, y = left.get(turn), right.get(turn)
        yield x, y, _gist(x) != _gist(y)


def _gist(line: Line | None) -> tuple[Any, ...]:
    if line is None:
        return ()
    return (line.role, line.want, line.draw, line.move, line.last.words if line.last else None,
            tuple(line.knows.new) if line.knows else (), tuple(x.words for x in line.bad))
