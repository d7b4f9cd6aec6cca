"""What another package registers: what is wrong with it is told in a line, and hides nothing else."""
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from parlour import registry
from parlour.errors import InputError, UnknownName
from parlour.experiments.cli import main
from parlour.games.base import Wording

Registered = Callable[[str], None]
HALF = "from parlour.games.base import Game\n\n\nclass Half(Game):\n    def players(self):\n        return ('one',)\n"


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registered]:
    """Registers `half` as a game, a module with this text."""
    def register(text: str) -> None:
        (tmp_path / "their_half.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        entry = EntryPoint("half", "their_half", "parlour.games")
        monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == entry.group else [])
        monkeypatch.delitem(__import__("sys").modules, "their_half", raising=False)
        registry.modules.cache_clear()
    yield register
    registry.modules.cache_clear()
    registry.load.cache_clear()


@pytest.mark.parametrize("folder", ["games", "protocols", "agents"])
def test_all_that_is_listed_is_there(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A helper that its folder does not name as one would stand in the list as something that is not there."""
    assert main([folder]) == 0
    assert "not there" not in capsys.readouterr().out


@pytest.mark.parametrize(("text", "says"), [
    ("import no_such_package\n", "is registered as their_half, which cannot be imported: No module named 'no_such_package'"),
    (HALF, "must define exactly one Game, it defines 0. Half lacks benchmarks, bounds, observe"),
    ("", "must define exactly one Game, it defines 0."),
])
def test_a_game_that_cannot_be_had_says_why_and_the_others_are_listed(registered: Registered, capsys: pytest.CaptureFixture[str],
                                                                      text: str, says: str) -> None:
    registered(text)
    with pytest.raises(UnknownName) as raised:
        registry.load("games", "half")
    assert says in str(raised.value) and "\n" not in str(raised.value)
    assert main(["games"]) == 0
    told = capsys.readouterr().out
    assert says in told and "\nsurvey " in told
    assert main(["play", "half"]) == 2


def test_a_text_that_a_wording_has_not_is_named() -> None:
    wording = Wording(name="plain", texts={"brief": "You have {money}."})
    assert wording.tell("brief", money="5 points") == "You have 5 points."
    for key, fields, says in (("breif", {"money": "5"}, "cannot tell 'breif': its texts are brief"),
                              ("brief", {"cash": "5"}, "cannot tell 'brief': its fields are cash")):
        with pytest.raises(InputError, match=says):
            wording.tell(key, **fields)
