"""The simulation studies in short: each runs, and none of its shares is far from where the long form has it."""
import importlib
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def studies() -> Any:
    sys.path.insert(0, str(ROOT / "perf"))
    yield importlib.import_module("studies")
    sys.path.remove(str(ROOT / "perf"))


def test_intervals_cover(studies: Any) -> None:
    found = list(studies.coverage(60, np.random.default_rng(1)))
    assert len(found) == 9 and all(f.share >= 0.87 for f in found)


def test_wild_intervals_cover_where_sizes_differ_too(studies: Any) -> None:
    found = list(studies.wild(40, np.random.default_rng(2), sizes=(6,)))
    assert len(found) == 9 and all(f.share >= 0.85 for f in found if ", t," not in f.what)


@pytest.mark.usefixtures("set_aside")
def test_families_seldom_claim_what_is_not(studies: Any) -> None:
    found, = studies.family(25, np.random.default_rng(1))
    assert found.share <= 0.2  # at .05, more than five of 25 happens once in 800


def test_plans_deliver(studies: Any) -> None:
    found = list(studies.power(2, 120, np.random.default_rng(1)))
    assert len(found) == 2 and all(f.share >= 0.68 for f in found)


def test_spend_lies_in_its_range(studies: Any) -> None:
    found, = studies.costs(4, Random(1))
    assert found.share >= 0.5


def test_memorisers_are_caught_and_the_mock_is_not(studies: Any, tmp_path: Path) -> None:
    memoriser, mock = studies.memorisers(2, tmp_path)
    assert (memoriser.share, mock.share) == (1.0, 0.0)
