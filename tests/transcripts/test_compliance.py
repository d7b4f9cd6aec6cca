"""Scripted principals and agents through the whole pipeline: every measure has its closed form."""
from itertools import pairwise
from math import exp
from typing import Any

import numpy as np
import pytest

import parlour
from parlour.experiments.cli import main
from parlour.games.text_contract import TextContract
from parlour.transcripts.compliance import compliance
from parlour.transcripts.texts import calibrated, evaluators

F = np.array([[0.665, 0.335], [0.64, 0.36], [0.47, 0.53]])
C = np.array([0.18165, 0.2415, 0.6405])
R = np.array([0.0, 6.0])
AWARE, ROBUST = 0.45885 / 0.195, 0.45885 / 0.17
TAU = 0.3
CONTROLS: dict[str, Any] = {
    "best_reply:last": lambda u: [float(i == max(k for k in range(3) if u[k] >= max(u) - 1e-9)) for i in range(3)],
    "best_reply:first": lambda u: [float(i == min(k for k in range(3) if u[k] >= max(u) - 1e-9)) for i in range(3)],
    f"logit:{1 / TAU}": lambda u: [exp(x / TAU) / sum(exp(y / TAU) for y in u) for x in u],
    "cheapest": lambda u: [1.0, 0.0, 0.0],
    "honest": lambda u: [0.0, 0.0, 1.0],
    "random": lambda u: [1 / 3] * 3,
}
"""Agent -> chances of the generators given their utilities."""
SEATS: dict[str, Any] = {
    "cheapest": {"agent": "fixed", "move": {"generator": "A"}}, "honest": {"agent": "fixed", "move": {"generator": "C"}}}
CONTRACTS = {"aware": (0.0, AWARE), "robust": (0.0, ROBUST), "half": (0.0, AWARE / 2), "nothing": (0.0, 0.0), "flat": (0.7, 0.7),
             "backwards": (1.0, 0.0)}


def near(x: float) -> float:
    """Nothing, if it is nothing but rounding."""
    return 0.0 if abs(x) < 1e-9 else x


def test_every_measure_of_every_control_has_its_closed_form(store: str) -> None:
    arms = [{"name": f"{c} {a}", "seats": {"principal": {"agent": "fixed", "move": {"payments": t}}, "agent": SEATS.get(a, a)}}
            for c, t in CONTRACTS.items() for a in CONTROLS]
    results = parlour.run({"game": {"name": "text_contract", "rewards": R.tolist()}, "episodes": "exact", "arms": arms}, store)
    found = {(s["arm"], s["benchmark"]): s for s in compliance(results.store, results.run)}
    least = {"expected pay of the target": 0.53 * AWARE, "budget": AWARE, "deviation": AWARE * (0.53 * 0.47) ** 0.5}
    optimal = next(b for b in TextContract(rewards=tuple(R)).benchmarks(TextContract().usual_rules) if b.name == "optimal")
    for c, pay in CONTRACTS.items():
        t = np.array(pay)
        u = F @ t - C
        slack = near(u[2] - max(u[0], u[1]))
        worst = near(min((F[2] - F[i]) @ t for i in (0, 1)) - 0.45885)
        for a, rule in CONTROLS.items():
            p = np.array(rule(u))
            expected: dict[str, float] = {
                "compliance": p[2], "best reply": sum(x for x, v in zip(p, u, strict=True) if v >= max(u) - 1e-9),
                "expected regret": float(p @ (max(u) - u)), "slack": slack, "valid at true costs": float(slack >= 0),
                "valid at worst admissible costs": float(worst >= 0), "covers the target's cost": float(F[2] @ t >= C[2] - 1e-9),
                "monotone": float(t[1] >= t[0]), "expected pay": float(p @ F @ t), "realised less expected pay": 0.0,
                "principal's expected utility": float(p @ F @ (R - t)), "less first_best": float(p @ F @ (R - t) - max(F @ R - C)),
                "less optimal": float(p @ F @ (R - t) - (optimal.value["principal"] or 0)),
                "expected pay of the target over the least": float(F[2] @ t) / least["expected pay of the target"],
                "budget over the least": max(t) / least["budget"],
                "deviation over the least": abs(t[1] - t[0]) * (0.53 * 0.47) ** 0.5 / least["deviation"],
                "price of robustness": ROBUST / AWARE, "price bound": 1.15}
            for name, value in expected.items():
                assert found[f"{c} {a}", name]["value"] == pytest.approx(value, abs=1e-9), (c, a, name)
            strict = found.get((f"{c} {a}", "compliance given strict incentive"))
            assert (strict is None) == (slack <= 0) and (strict is None or strict["value"] == pytest.approx(p[2]))


def test_temperature_and_curve_tell_obedience_from_incentive(store: str) -> None:
    """The same contracts, scaled from nothing to twice: logit rises along its curve, the honest obey without incentive."""
    factors = (0.0, 0.5, 1.0, 1.5, 2.0)
    agents = {"logit": f"logit:{1 / TAU}", "honest": SEATS["honest"], "rational": "best_reply:first", "random": "random"}
    tables = {}
    for name, agent in agents.items():
        arms = [{"name": f"x{f:g}", "seats": {"principal": {"agent": "scaled", "factor": f}, "agent": agent}} for f in factors]
        results = parlour.run({"game": "text_contract", "episodes": "exact", "arms": arms}, store)
        tables[name] = [s for s in compliance(results.store, results.run) if s["arm"] == "all arms"]

    def curve(name: str) -> dict[float, float]:
        return {round(s["benchmark_value"], 6): s["value"] for s in tables[name] if s["quantity"] == "curve"}

    def tau(name: str) -> dict[str, Any]:
        return next(s for s in tables[name] if s["quantity"] == "temperature")

    slacks = [round(near(min((F[2] - F[i]) @ (0, f * AWARE) - (C[2] - C[i]) for i in (0, 1))), 6) for f in factors]
    assert list(curve("logit")) == slacks and slacks[0] < slacks[1] < 0 == slacks[2] < slacks[3]
    assert all(x < y for x, y in pairwise(curve("logit").values())) and tau("logit")["value"] == pytest.approx(TAU, rel=1e-4)
    assert set(curve("honest").values()) == {1.0} and tau("honest")["value"] is not None and tau("honest")["value"] > 0.3, \
        "one who obeys unpaid does not follow incentives"
    assert list(curve("rational").values()) == [0, 0, 0, 1, 1] and tau("rational")["value"] == 0
    assert list(curve("random").values()) == pytest.approx([1 / 3] * 5) and "no choice follows" in tau("random")["note"]
    names = [s["benchmark"] for s in tables["logit"] if s["quantity"] == "curve"]
    assert names[0] == "flat pay" and names[1].startswith("negative slack") and names[2] == "tie" and names[3].startswith("positive slack")


def test_sampled_runs_cover_the_closed_form_and_know_what_never_varies(store: str) -> None:
    arms = [{"name": a, "seats": {"agent": a}} for a in (f"logit:{1 / TAU}", "best_reply:first")]
    results = parlour.run({"game": "text_contract", "episodes": 400, "seed": 4, "seats": {"principal": "strategy:cost_robust"},
                           "arms": arms}, store)
    found = {(s["arm"], s["benchmark"]): s for s in compliance(results.store, results.run)}
    u = F @ (0, ROBUST) - C
    p = np.exp(u / TAU) / np.exp(u / TAU).sum()
    for name, value in (("compliance", p[2]), ("expected pay", float(p @ F @ (0, ROBUST))), ("realised less expected pay", 0.0),
                        ("expected regret", float(p @ (max(u) - u)))):
        s = found[arms[0]["name"], name]
        assert s["low"] <= value <= s["high"] and s["high"] - s["low"] < 0.5, name
    fitted = found[arms[0]["name"], "logit temperature"]
    assert fitted["low"] is not None and fitted["low"] <= TAU <= fitted["high"]
    always = found["best_reply:first", "compliance"]
    assert always["value"] == 1 and always["low"] is None and always["note"] == "one observation"
    assert found["best_reply:first", f"positive slack {min(u[2] - u[:2]):.4g}"]["low"] < 0.3, "one observation, whatever n"


def test_declining_is_no_choice_of_the_target(store: str) -> None:
    game = {"name": "text_contract", "participation": True}
    seats = {"principal": {"agent": "fixed", "move": {"payments": [0, 0]}}, "agent": "best_reply"}
    results = parlour.run({"game": game, "episodes": "exact", "seats": seats}, store)
    found = {s["benchmark"]: s["value"] for s in compliance(results.store, results.run)}
    assert found["compliance"] == 0 and found["best reply"] == 1 and found["expected pay"] == 0
    assert "realised less expected pay" not in found


def test_a_contract_for_the_average_task_fails_where_the_task_is_seen(store: str) -> None:
    """Hard tasks need more than twice what would do on average: half the tasks are then not done with the target."""
    arms = [{"name": f"{when} {which}", "protocol": {"name": "text_contract", "chooses": when},
             "seats": {"principal": f"strategy:{which}", "agent": "best_reply"}}
            for when, which in (("before", "cost_aware"), ("after", "average"), ("after", "cost_aware"))]
    results = parlour.run({"game": "prompted_contract", "episodes": "exact", "arms": arms}, store)
    found = {(s["arm"], s["benchmark"]): s["value"] for s in compliance(results.store, results.run)}
    assert [found[a["name"], "compliance"] for a in arms] == [1, 0.5, 1]
    assert [found[a["name"], "valid at true costs"] for a in arms] == [1, 0, 1]
    assert found["after average", "expected pay of the target over the least"] == pytest.approx(AWARE / (0.45885 / 0.09))
    assert found["after cost_aware", "expected pay"] == pytest.approx(0.53 * 0.45885 / 0.09)


TEXTS = {"small": [0.6, 0.4], "middle": [0.5, 0.5], "large": [0.1, 0.9]}
WRITERS = {f"writer_{x}": f"fixed:{text}" for x, text in zip("ABC", TEXTS, strict=True)}
TASKS = [{"prompt": "Write well.", "gold": "large"}]


def test_calibration_finds_the_table_of_a_synthetic_evaluator(store: str, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    seats = {**WRITERS, "evaluator": {"agent": "sampler", "rows": TEXTS}}
    design = {"game": "text_contract", "protocol": {"name": "calibration", "tasks": TASKS}, "seats": seats}
    exact = parlour.run({**design, "episodes": "exact"}, store)
    assert np.allclose(calibrated(exact.store, exact.run).chances, list(TEXTS.values()))
    sampled = parlour.run({**design, "episodes": 400}, store)
    table = calibrated(sampled.store, sampled.run)
    assert table.counts.sum(axis=1).tolist() == [400] * 3 and np.abs(np.array(table.chances) - list(TEXTS.values())).max() < 0.08
    assert main(["calibration", "--store", store, "--to", str(tmp_path / "scores.csv")]) == 0
    assert "--set outcome_probabilities=[[" in capsys.readouterr().out
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    assert lines[0] == "model,1,2" and lines[1].startswith("small,") and len(lines) == 4
    fields = {"name": "text_contract", "outcome_probabilities": table.chances}
    assert parlour.run({"game": fields, "episodes": 2, "seats": {"principal": "strategy", "agent": "strategy"}}, store).status == "done"


def test_an_evaluator_is_held_against_gold(store: str) -> None:
    """The confusion of a noisy evaluator is its own rows; on gold's F the contract gives another incentive."""
    seats = {**WRITERS, "evaluator": {"agent": "sampler", "rows": TEXTS}, "gold": "exact_match",
             "principal": {"agent": "fixed", "move": {"payments": [0, 2]}}, "agent": "random"}
    protocol = {"name": "text_contract", "tasks": TASKS, "gold": True}
    results = parlour.run({"game": "text_contract", "episodes": "exact", "protocol": protocol, "seats": seats}, store)
    found = {s["benchmark"]: s for s in evaluators(results.store, results.run)}
    assert found["score 2 where gold says 2"]["value"] == pytest.approx(0.9)
    assert found["score 1 where gold says 1"]["value"] == pytest.approx(0.55)
    agree, chance = (0.9 + 0.55 * 2) / 3, (1 / 3) * 0.6 + (2 / 3) * 0.4
    assert found["agrees with gold"]["value"] == pytest.approx(agree) and found["agrees with gold"]["low"] == pytest.approx(agree)
    assert found["kappa"]["value"] == pytest.approx((agree - chance) / (1 - chance))
    on = {name: min(2 * (rows[2] - rows[i]) - (C[2] - C[i]) for i in (0, 1))
          for name, rows in (("evaluator", (0.4, 0.5, 0.9)), ("gold", (0, 0, 1)))}
    for name, slack in on.items():
        assert found[f"slack on the F of {name}"]["value"] == pytest.approx(slack)
    luck = {s["benchmark"]: s["value"] for s in compliance(results.store, results.run)}["realised less expected pay"]
    assert luck == pytest.approx(2 * ((0.4 + 0.5 + 0.9) - (0.335 + 0.36 + 0.53)) / 3), "an evaluator unlike the F of the contract"


def test_runs_without_contracts_say_so(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    parlour.run({"game": "email", "episodes": 2, "seats": {"human": "strategy", "ai": "strategy"}}, store)
    assert main(["compliance", "--store", store]) == 2 and "no contract was posted" in capsys.readouterr().err
    assert main(["calibration", "--store", store]) == 2 and "no text was scored" in capsys.readouterr().err


def test_a_report_is_honest_where_the_menu_makes_it_so(store: str) -> None:
    """Under the optimal menu every kind reports itself; where one contract is better for everybody, half of them lie."""
    arms = [{"name": "menu", "seats": {"principal": "strategy", "agent": "best_reply"}},
            {"name": "bait", "seats": {"principal": {"agent": "fixed", "move": {"contracts": [[0, 0, 0], [0, 1, 2]]}},
                                       "agent": "best_reply"}}]
    results = parlour.run({"game": "screened_contract", "episodes": "exact", "arms": arms}, store)
    found = {(s["arm"], s["benchmark"]): s["value"] for s in compliance(results.store, results.run)}
    assert found["menu", "honest report"] == 1 and found["bait", "honest report"] == 0.5
    assert found["menu", "principal's expected utility"] == pytest.approx(0.85)
    assert found["menu", "less single_contract"] == pytest.approx(0.05)
