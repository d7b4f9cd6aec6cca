"""Data sets from other people's files: a CSV with a declared mapping, oTree's exports, GLEE's folders of games. Formats alone.

A .toml file with `title`, `source`, `licence`, `asking` and one of these tables is a data set too:

    [csv]     file, question, answer    names of the columns of the question's text and of the option taken; key (default: question)
    [otree]   file, field, question     field: a column such as player.accepted; question: the text that was asked
    [glee]    folder, game              game: bargaining, negotiation or persuasion

oTree: one row per participant and round, columns `participant.code`, `player.FIELD`, `group.FIELD`, `session.code` and so on; a field
not answered is empty. Bots and demo sessions are left out. GLEE: a folder per game with `config.json` (who is human: player type
`otree`) and `game.csv`, a row per offer or message and one per decision; only what humans decided is taken.

Sources of the formats: exports of oTree 2.1 to 5.4; the repository eilamshapira/GLEE.
"""
import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...errors import DesignError
from ...registry import explain
from . import DataSet, Item

HUMAN = "otree"
PLAYERS = {"Alice": "player_1_type", "Bob": "player_2_type"}
GAINS = {"Alice": "alice_gain", "Bob": "bob_gain"}
GAMES = ("bargaining", "negotiation", "persuasion")
STEP = 10
"""Offers are told apart by shares of so many per cent."""


def imported(fields: Mapping[str, Any], folder: Path) -> DataSet | None:
    """The data set that such a file describes; None if it names nothing to import. Paths are relative to `folder`."""
    about = {k: v for k, v in fields.items() if k not in ("csv", "otree", "glee")}
    try:
        if "csv" in fields:
            given = dict(fields["csv"])
            return from_csv(folder / given.pop("file"), given, about)
        if "otree" in fields:
            given = fields["otree"]
            return from_otree(folder / given["file"], given["field"], given["question"], about)
        if "glee" in fields:
            return from_glee(folder / fields["glee"]["folder"], fields["glee"]["game"], about)
    except KeyError as missing:
        raise DesignError(f"the table of what to import lacks {missing}.") from None
    return None


def from_csv(path: Path, mapping: Mapping[str, str], about: Mapping[str, Any]) -> DataSet:
    """A data set from a CSV with one row per answer.

    mapping  "question": column of the question's text, "answer": column of the option taken, "key": of its key (default: text)
    about    title, source, licence, asking
    Raises DesignError for a column or a file that is not there.
    """
    return _tallied(_rows(path), {"key": mapping.get("question", ""), **mapping}, about, str(path))


def from_otree(path: Path, field: str, question: str, about: Mapping[str, Any]) -> DataSet:
    """A data set of one question from oTree's export of an app; `field` such as player.accepted. Bots and demos are left out."""
    answered = [{**r, "question": question} for r in _rows(path) if r.get(field, "x") != ""
                and "1" not in (r.get("participant._is_bot"), r.get("session.is_demo"))]
    return _tallied(answered, {"question": "question", "key": "question", "answer": field}, about, str(path))


def from_glee(folder: Path, game: str, about: Mapping[str, Any]) -> DataSet:
    """A data set of what humans decided in one of GLEE's games. Raises DesignError if there is nothing of it."""
    if game not in GAMES:
        raise DesignError(f"GLEE has no game '{game}': name one of {', '.join(GAMES)}.")
    decided = [row for config in sorted(folder.rglob("config.json")) for row in _decisions(config, game)]
    if not decided:
        raise DesignError(f"{folder}: no human decided anything in a game of {game}: games are folders with config.json and game.csv.")
    return _tallied(decided, {"question": "question", "key": "question", "answer": "answer"}, about, str(folder))


def _decisions(config: Path, game: str) -> Iterator[dict[str, str]]:
    spec, table = json.loads(config.read_text()), config.with_name("game.csv")
    if spec.get("game_type") != game or not table.exists():
        return
    people, offer = {name for name, key in PLAYERS.items() if spec.get(key) == HUMAN}, None
    for row in _rows(table):
        if row.get("decision") in (None, "", "None"):
            offer = row if row["player"] in PLAYERS else offer
        elif offer is not None and row["player"] in people:
            yield {"question": _asked(game, offer, row["player"]), "answer": row["decision"]}


def _asked(game: str, offer: Mapping[str, str], player: str) -> str:
    """The question that a decision answered, with what is peculiar to the offer."""
    if game == "bargaining":
        whole = sum(float(offer[column]) for column in GAINS.values())
        share = STEP * round(100 * float(offer[GAINS[player]]) / whole / STEP)
        return f"You and another person divide a sum of money by offers in turn. You are offered about {share} % of it."
    if game == "negotiation":
        return f"You and another person negotiate over the price of a product. You are offered a price of {offer['product_price']}."
    return f"A seller, who may know the quality of a product, says to you: {offer['message']}"


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        raise DesignError(f"no file {path}.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _tallied(rows: list[dict[str, Any]], of: Mapping[str, str], about: Mapping[str, str], path: str) -> DataSet:
    for what in ("question", "answer", "key"):
        if of.get(what) is None or not rows or of[what] not in rows[0]:
            raise DesignError(f"{path}: no column '{of.get(what)}' for the {what}; columns are {', '.join(rows[0]) if rows else 'none'}.")
    labels = tuple(dict.fromkeys(str(r[of["answer"]]) for r in rows))
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(labels, 0))
    for r in rows:
        counts[str(r[of["key"]]), str(r[of["question"]])][str(r[of["answer"]])] += 1
    items = tuple(Item(key=key, text=text, isomorph=text, n=sum(c.values()), shares=tuple(x / sum(c.values()) for x in c.values()))
                  for (key, text), c in counts.items())
    try:
        return DataSet.model_validate({**about, "labels": labels, "questions": [i.model_dump() for i in items]})
    except ValidationError as error:
        raise DesignError(f"{path}: {explain(error)}.") from None
