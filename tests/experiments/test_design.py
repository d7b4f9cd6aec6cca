"""Designs: merging, stratification, and one clear line for every mistake."""
from pathlib import Path
from typing import Any

import pytest

from parlour.errors import InputError
from parlour.experiments.design import make_design, read_design, seat
from parlour.experiments.plan import slots, tables

BASE: dict[str, Any] = {"game": "email", "protocol": "advice", "seats": {"human": "mock", "ai": "mock"}}


def test_arms_inherit_and_override() -> None:
    made = make_design({**BASE, "game": {"name": "email", "prior": 0.3}, "arms": [
        {"name": "a"}, {"name": "b", "game": {"accuracy": 0.7}, "seats": {"human": "logit:2"}},
        {"name": "c", "protocol": "silent", "wordings": ["workshop"]}]})
    a, b, c = made.arms
    assert a.game == {"name": "email", "prior": 0.3} and b.game == {"name": "email", "prior": 0.3, "accuracy": 0.7}
    assert b.seats["human"] == {"agent": "logit", "precision": 2} and b.seats["ai"] == {"agent": "mock"}
    assert c.protocol == {"name": "silent"} and c.wordings == ("workshop",)


def test_a_seat_may_be_named_once_for_all_arms() -> None:
    """The name stands for the seat it was given, in arms, factors and defaults; the design that is played holds no names."""
    made = make_design({**BASE, "agents": {"model": {"agent": "logit", "precision": 3}, "other": "mock"},
                        "seats": {"human": "model", "ai": "other"}, "factors": {"seats.ai": ["model", "other"]}})
    assert [a.seats for a in made.arms] == [{"human": {"agent": "logit", "precision": 3}, "ai": seat}
                                            for seat in ({"agent": "logit", "precision": 3}, {"agent": "mock"})]
    assert type(made).model_validate_json(made.model_dump_json()) == made
    with pytest.raises(InputError, match=r"\[agents\] must be a table"):
        make_design({**BASE, "agents": "mock"})


def test_another_game_drops_the_fields_of_the_first() -> None:
    made = make_design({**BASE, "game": {"name": "email", "prior": 0.3}, "arms": [{"name": "x", "game": "battle_of_the_sexes"}]})
    assert made.arms[0].game == {"name": "battle_of_the_sexes"}


def test_a_design_is_its_own_json() -> None:
    made = make_design({**BASE, "episodes": "exact"})
    assert type(made).model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(("spec", "expected"), [
    ("mock", {"agent": "mock"}), ("strategy:with_ai", {"agent": "strategy", "benchmark": "with_ai"}),
    ("logit:0.5", {"agent": "logit", "precision": 0.5}), ({"agent": "random"}, {"agent": "random"}),
    ("liar:0.3", {"agent": "liar", "lies": 0.3}), ("scaled:0", {"agent": "scaled", "factor": 0}),
    ("memoriser:plain", {"agent": "memoriser", "knows": "plain"})])
def test_seats_in_short(spec: Any, expected: dict[str, Any]) -> None:
    assert seat(spec) == expected


@pytest.mark.parametrize(("episodes", "prior"), [(10, 0.25), (11, 0.25), (2, 0.9)])
def test_states_are_strata_with_their_chance_as_weight(episodes: int, prior: float) -> None:
    design = make_design({**BASE, "episodes": episodes, "game": {"name": "email", "prior": prior}, "wordings": "all"})
    found = list(slots(design, tables(design)))
    assert len(found) == episodes and [s.episode for s in found] == list(range(episodes))
    weight = {s: sum(x.weight for x in found if x.stratum == s) for s in ("0", "1")}
    assert weight == {"0": pytest.approx(prior), "1": pytest.approx(1 - prior)}


def test_wordings_and_arms_meet_the_same_draws() -> None:
    design = make_design({**BASE, "episodes": 8, "wordings": "all", "arms": [{"name": "a"}, {"name": "b"}]})
    found = list(slots(design, tables(design)))
    tapes = {key: sorted(s.tape for s in found if (s.table.arm.name, s.wording.name) == key)
             for key in {(s.table.arm.name, s.wording.name) for s in found}}
    assert len(tapes) == 4 and len(set(map(tuple, tapes.values()))) == 1


def test_sampled_states_are_shared_by_wordings_and_arms() -> None:
    design = make_design({"game": "first_price_auction", "protocol": "silent", "episodes": 6, "wordings": "all",
                          "seats": {"bidder_1": "mock", "bidder_2": "mock"}})
    found = list(slots(design, tables(design)))
    assert sum(s.weight for s in found) == pytest.approx(1)
    assert found[0].state == found[1].state != found[2].state


@pytest.mark.parametrize(("change", "complaint"), [
    ({"game": "emial"}, "Did you mean 'email'"), ({"gme": "email"}, "did you mean 'game'"), ({"episodes": 0}, "episodes"),
    ({"episodes": "many"}, "episodes"), ({"protocol": "shout"}, "no protocol 'shout'"),
    ({"seats": {"human": "mock"}}, "nobody sits at ai"),
    ({"seats": {"humn": "mock"}}, "no seat 'humn'"), ({"seats": {"human": "mok", "ai": "mock"}}, "no agent 'mok'"),
    ({"seats": "mock"}, "must be a table"), ({"wordings": "funny"}, "no wording 'funny'"), ({"seed": -1}, "seed"),
    ({"game": {"name": "email", "prior": 3}}, "prior"), ({"game": {}}, "names no game"), ({"name": "a b"}, "name"),
    ({"arms": [{"name": "x"}, {"name": "x"}]}, "two arms are named 'x'"), ({"arms": {}}, "[[arms]]"),
    ({"seats": {"human": "strategy:nope", "ai": "mock"}}, "no benchmark 'nope'"),
    ({"game": {"name": "battle_of_the_sexes", "informed": "row"}, "protocol": "silent",
      "seats": {"row": "mock", "column": "mock"}}, "max_queries"),
    ({"game": "battle_of_the_sexes", "protocol": "advice", "seats": {"row": "strategy:correlated", "column": "mock"}},
     "correlated"),
    ({"game": {"name": "first_price_auction", "signal": "binary", "bidders": 3}}, "bidders"),
    ({"wordings": []}, "wordings"), ({"personas": []}, "personas"),
    ({"seats": {"human": "gpt-4o", "ai": "mock"}}, "A model of a provider is llm:gpt-4o"),
])
def test_mistakes_get_one_clear_line(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError) as raised:
        tables(make_design({**BASE, **change}))
    assert complaint in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_may_begin_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "d.toml"
    path.write_text('game = "email"\nseats = {human = "mock", ai = "mock"}\n', "utf-8-sig")
    assert read_design(path).arms[0].game == {"name": "email"}


@pytest.mark.parametrize(("text", "complaint"), [("x = [", "is not TOML"), (None, "cannot read design")])
def test_files_that_are_no_designs(tmp_path: Path, text: str | None, complaint: str) -> None:
    path = tmp_path / "d.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_design(path)
