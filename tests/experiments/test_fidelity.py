"""Fakes whose answers are known are recovered from words over HTTP to scores; the lead score ranks simulators as losses do."""
import importlib
import json
from collections.abc import Iterator
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parlour.agents.faults import Faults
from parlour.agents.mock_server import MockServer
from parlour.agents.updater import Updater
from parlour.experiments import fidelity as f
from parlour.experiments.api import synchronous
from parlour.experiments.cli import main
from parlour.experiments.design import game_of
from parlour.experiments.people import table
from parlour.experiments.runner import start
from parlour.experiments.seating import seat_one
from parlour.games.announced_policy import Rule
from parlour.games.base import Mixed, Rules, learned
from parlour.games.solvers.noisy_receiver import Receiver, cost_of, logit
from parlour.protocols.seat import Turn
from parlour.transcripts import agreement as closeness
from parlour.transcripts import fidelity as rows
from parlour.transcripts.store import Store

FAKES: dict[str, dict[str, Any]] = {
    "step": {}, "logit": {"slope": 4.0}, "biased": {"bias": 0.2048}, "flip": {"flip": 0.2}, "sharp": {"slope": 50.0},
    "heavy": {"slope": 3.0, "evidence_weight": 0.6, "prior_weight": 0.8, "bias": 0.1, "framing": {"clinic": 0.5}},
    "one order": {"slope": 5.0, "framing": {"reversed": 0.7}}, "one label": {"slope": 5.0, "framing": {"neutral": 0.7}},
    "one story": {"slope": 5.0, "framing": {"clinic": 0.9}}, "unmoved": {"slope": 5.0}}


class Obedient(Updater):
    """Heeds the word: by .8 logits less easily moved where it is told to leave."""
    def chances(self, turn: Turn) -> Mixed:
        told = learned(turn.information, Rule)[-1].message
        return Updater.chances(self.model_copy(update={"bias": -0.8 * (told == "leave")}), turn)


LIKE = {"one order": "order", "one label": "labels", "one story": "wording"}


def served(faults: Faults = Faults()) -> MockServer:  # noqa: B008  frozen
    game = game_of({"name": "announced_policy"})
    return MockServer(faults=faults, agents={name: seat_one(game, Rules.of(), "buyer", {"agent": "updater", **fields}, {}, {})
                                             for name, fields in FAKES.items()})


def over_http(server: MockServer, name: str, role: str = "simulator") -> f.Respondent:
    return f.respondent(f"{name}=" + json.dumps({"agent": "llm", "model": name, "endpoint": server.endpoint, "is_mock": True}), role)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, rows.Answers], list[dict[str, Any]]]]:
    """Every fake over HTTP against the ideal type: all act; the heavy one states beliefs too, on a few items."""
    store, found, scores = Store(tmp_path_factory.mktemp("fidelity") / "f.duckdb"), {}, []
    with served() as server:
        people = [f.respondent("ideal", "truth")]
        for fakes, repeats, tasks in (([over_http(server, n) for n in FAKES if n not in ("sharp", "unmoved", *LIKE)], 3, ("act",)),
                                      ([over_http(server, "heavy", "judge")], 2, ("act", "judge", "act_on"))):
            made = f.design(people, fakes, (0.2, 0.4), (0.15, 0.2, 0.3, 0.4, 0.45, 0.6), repeats, ("plain", "clinic-reversed"), 2, tasks,
                            concurrency=64)
            run, status = synchronous(start(made, store))
            assert status == "done"
            found |= rows.answers(store, run)
            scores += f.compared(store, run, people, fakes, draws=0)
    yield found, scores


def number(scores: list[dict[str, Any]], arm: str, measure: str) -> float:
    return next(s["value"] for s in scores if s["arm"] == arm and s["benchmark"] == measure)


def test_a_step_gives_the_exact_value_curve(told: Any) -> None:
    """Both types at the thresholds of the design: .475 without a query, .6 with one."""
    said, scores = told
    assert rows.queries(said["simulator step"]) == pytest.approx([0.475, 0.6])
    assert number(scores, "simulator step for truth ideal", "economic loss") == pytest.approx(0, abs=1e-12)
    assert number(scores, "simulator step for truth ideal", "agreement") == 1
    assert said["simulator step"].threshold(0).separated  # type: ignore[union-attr]  # there are answers


def test_a_logit_person_is_recovered_within_four_standard_errors(told: Any) -> None:
    said, _ = told
    for kind, prior in enumerate((0.2, 0.4)):
        found = said["simulator logit"].threshold(kind)
        assert abs(found.threshold - logit(prior)) <= 4 * found.se and abs(found.slope - 4) <= 4 * found.slope_se


def test_a_bias_falls_off_the_cliff(told: Any) -> None:
    """+.2048 logits: all of the .8 that a type of prior .4 is worth is lost; the margin that repairs it is the bias."""
    said, _ = told
    found = rows.economics(said["truth ideal"], said["simulator biased"], 1, True)
    assert found is not None and (found.best, found.got) == pytest.approx((0.8, 0.0), abs=1e-6)
    assert found.margin == pytest.approx(log(0.45 / 0.55 / (0.4 / 0.6)), abs=1e-6)


def test_flips_give_the_noisy_query_numbers(told: Any) -> None:
    """A single query whose answer is wrong with chance d is worth max(.475, .6 - .325 d) to a sender."""
    said, _ = told
    shares = said["simulator flip"].counts.sum(axis=(0, 1, 3))
    low, high = (said["simulator flip"].counts[k][:, at].sum(axis=(0, 1, 2)) for k, at in ((1, slice(0, 4)), (0, slice(2, 6))))
    wrong, n = low[1] - low[0] + high[0], low[1] + high[1]
    lapsed = said["simulator flip"].lapses(0)
    assert lapsed is not None and lapsed.low > 0.05 and lapsed.gain > 1
    assert shares.sum() > 0 and abs(wrong / n - 0.2) <= 4 * np.sqrt(0.16 / n)
    assert max(0.475, 0.6 - 0.325 * wrong / n) == pytest.approx(0.535, abs=4 * 0.325 * np.sqrt(0.16 / n))


def test_weights_and_framing_are_told_apart(told: Any) -> None:
    said, _ = told
    weights = rows.updating(said["judge heavy"])
    assert weights is not None and (weights.prior, weights.evidence) == pytest.approx((0.8, 0.6), abs=1e-6)
    assert weights.constant == pytest.approx(0.35)
    moved, unmoved = (rows.sensitivities(said[f"simulator {who}"]) for who in ("heavy", "step"))
    assert moved.keys() == unmoved.keys() == set()  # two wordings of which order differs too: nobody knows which of the two it was


@pytest.mark.parametrize("who", [*LIKE, "unmoved"])
def test_a_bias_by_wording_order_or_labels_is_found_where_it_is_and_nowhere_else(who: str, factors: Any) -> None:
    """Over HTTP, in the crossed wordings. The sd of .7 in one of two levels is .35; of .9 in one of four wordings .45."""
    said, scores = factors
    found = rows.sensitivities(said[f"simulator {who}"])
    assert found.keys() == {"wording", "order", "labels"}
    for factor, effect in found.items():
        true = (0.45 if factor == "wording" else 0.35) if LIKE.get(who) == factor else 0.0
        assert effect.low <= true <= effect.high and not effect.bracket
        assert effect.sd > 0.2 and effect.low > 0 if true else effect.sd < 0.15
        assert number(scores, f"simulator {who}", f.SENSITIVITY[factor]) == effect.sd
    for factor in ("order", "labels"):
        low, high = found[factor].span
        assert low <= (0.7 if LIKE.get(who) == factor else 0.0) <= high


def test_who_heeds_the_word_instead_of_the_rule_is_found(tmp_path: Path) -> None:
    """Over HTTP, both words by the same rule: a shift of -.8 logits where it is told to leave, and nothing in the other factors."""
    game, store = game_of({"name": "announced_policy"}), Store(tmp_path / "w.duckdb")
    plain = seat_one(game, Rules.of(), "buyer", {"agent": "updater", "slope": 5.0}, {}, {})
    obedient = Obedient(slope=5.0)
    obedient._evidence, obedient._voice = plain._evidence, plain._voice  # type: ignore[attr-defined]  # it is an Updater
    with MockServer(agents={"obedient": obedient}) as server:
        people, one = [f.respondent("ideal", "truth")], [over_http(server, "obedient")]
        made = f.design(people, one, (0.3,), (0.15, 0.2, 0.25, 0.3, 0.4, 0.5), 2, seed=5, tasks=("act",), messages=("buy", "leave"),
                        concurrency=64)
        run, _ = synchronous(start(made, store))
    found = rows.sensitivities(rows.answers(store, run)["simulator obedient"])
    assert found.keys() == {"wording", "order", "labels", "message"}
    low, high = found["message"].span  # type: ignore[misc]  # two levels
    assert low <= -0.8 <= high < -0.3 and all(found[other].sd < 0.2 for other in ("wording", "order", "labels"))


@pytest.fixture(scope="module")
def factors(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, rows.Answers], list[dict[str, Any]]]:
    store = Store(tmp_path_factory.mktemp("factors") / "f.duckdb")
    with served() as server:
        people, fakes = [f.respondent("ideal", "truth")], [over_http(server, who) for who in (*LIKE, "unmoved")]
        made = f.design(people, fakes, (0.3,), (0.15, 0.2, 0.25, 0.3, 0.4, 0.5), 3, seed=5, tasks=("act",), concurrency=64)
        run, status = synchronous(start(made, store))
    assert status == "done"
    return rows.answers(store, run), f.compared(store, run, people, fakes, draws=0)


def test_a_logit_person_states_chances_by_their_scores(tmp_path: Path) -> None:
    """Noisy about what pays: of a great precision he states Bayes's chance to the nearest hundredth; of a small one, any."""
    store, people = Store(tmp_path / "l.duckdb"), [f.respondent(f"{n}=logit:{p}", "truth") for n, p in (("sharp", 1e7), ("dull", 1))]
    one = f.respondent("bayes=updater", "simulator")
    made = f.design(people, [one], (0.3, 0.4), (0.25, 0.4, 0.6), 4, ("plain",), tasks=("act", "judge"))
    run, status = synchronous(start(made, store))
    said = rows.answers(store, run)
    sharp, dull = (rows.calibration(said[r.name]) for r in people)
    assert status == "done" and sharp is not None and dull is not None and sharp[1] < 0.005 < 0.1 < dull[1]


def test_an_over_sharp_simulator_leads_on_normalised_accuracy_and_loses(tmp_path: Path) -> None:
    """Against noisy people: above 1 on the rival's measure, while the sender loses."""
    store = Store(tmp_path / "s.duckdb")
    people, sharp = [f.respondent('people={"agent":"updater","slope":2}', "truth")], [
        f.respondent('sharp={"agent":"updater","slope":50}', "simulator")]
    run, _ = synchronous(start(f.design(people, sharp, (0.4,), repeats=10, tasks=("act",)), store))
    scores = f.compared(store, run, people, sharp, draws=0)
    arm = "simulator sharp for truth people"
    assert number(scores, arm, "normalised accuracy") > 1.03 and number(scores, arm, "economic loss") > 0.02


def test_malformed_replies_widen_intervals_and_leave_estimates(tmp_path: Path) -> None:
    """A third of the calls, one attempt each: a third of the items lost, seen in validity, and no bias."""
    found, thresholds = [], (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
    for rate in (0.0, 1 / 3):
        store = Store(tmp_path / f"{rate:.1f}.duckdb")
        with served(Faults(rate=rate, kinds=("malformed",))) as server:
            people, one = [f.respondent("ideal", "truth")], [over_http(server, "logit")]
            made = f.design(people, one, (0.4,), thresholds, 10, ("plain", "clinic"), tasks=("act",), attempts=1, concurrency=64)
            run, _ = synchronous(start(made, store))
        scores = f.compared(store, run, people, one, draws=0)
        fit = rows.answers(store, run)["simulator logit"].threshold(0)
        assert fit is not None and fit.threshold is not None and fit.se is not None
        found.append((fit.threshold, fit.se, number(scores, "simulator logit", "valid replies")))
    (clean, se, valid), (dirty, wider, less) = found
    assert valid == 1 and less == pytest.approx(2 / 3, abs=0.12)
    assert se < wider < 2 * se and abs(clean - dirty) <= 4 * np.hypot(se, wider)


# --- fifty fakes ---------------------------------------------------------------------------------------------------------
def answered(priors: tuple[float, ...], thresholds: tuple[float, ...], who: Updater, n: int, rng: Any) -> rows.Answers:
    """What a person with the weights of Bayes would answer, n times in each half, without the words."""
    x = np.array([logit(t) for t in thresholds])
    p = np.array([1 / (1 + np.exp(-(who.slope or 1e3) * (who.bias + logit(prior) - x))) for prior in priors])
    acted = rng.binomial(n, np.repeat(p[:, None, :, None], 2, axis=3))
    return rows.Answers(priors, thresholds, ("plain",), np.stack([acted, np.full(acted.shape, n)], axis=-1).astype(float))


def test_the_lead_score_ranks_fifty_simulators_as_their_losses_do() -> None:
    """Realised loss: of the fakes' true parameters. The measures others lead with stand beside it."""
    from scipy.stats import spearmanr
    rng, priors = np.random.default_rng(4), (0.3, 0.4)
    truth = Updater(slope=4.0)
    people = answered(priors, f.THRESHOLDS, truth, 40, rng)
    fakes = [Updater(slope=float(exp(rng.uniform(0.3, 3))), bias=float(rng.normal(0, 0.5))) for _ in range(50)]
    realised, found = [], []
    for fake in fakes:
        found.append(rows.measures(people, answered(priors, f.THRESHOLDS, fake, 40, rng), False))
        realised.append(np.mean([cost_of(Receiver(logit(p), 4.0), Receiver(logit(p) + fake.bias, fake.slope or 1e3), p).loss
                                 for p in priors]))
    ranks = {name: float(spearmanr([m[name] for m in found], realised).statistic) for name in (
        "economic loss", "total variation", "log-loss", "Pearson correlation", "normalised accuracy")}
    assert ranks["economic loss"] >= 0.9
    assert ranks["economic loss"] > max(abs(v) for k, v in ranks.items() if k != "economic loss"), ranks


def test_the_study_of_the_lead_score_in_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight fakes behind a server, each under a name of its own; then what was fitted to them is played against the people."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "perf"))
    study: Any = importlib.import_module("lead_score")
    found = study.study(8, 4, 16, 4, tmp_path, (0.15, 0.25, 0.35, 0.45, 0.6))
    assert list(found) == list(study.LOSSES) and all(set(r) == set(study.MEASURES) for r in found.values())
    assert found["exact"]["economic loss"] >= 0.9 and found["known"]["economic loss"] >= 0.9
    assert found["played"]["economic loss"] >= 0.8, "of sixteen rounds"


def test_what_people_agree_with_themselves_is_found_from_two_answers_an_item() -> None:
    """On average exactly; shares of two answers agree with themselves too well. And the interval is about the estimate."""
    rng, priors, found, name = np.random.default_rng(7), (0.3, 0.4), [], "people's agreement with themselves"
    true = np.array([Receiver(logit(p), 2.0).acts(logit(t)) for p in priors for t in f.THRESHOLDS])
    for _ in range(300):
        found.append(rows.retest(answered(priors, f.THRESHOLDS, Updater(slope=2.0), 1, rng)))
    off = 4 * np.std(found) / np.sqrt(300)
    assert np.mean(found) == pytest.approx(closeness.agreement(true, true), abs=off) and off < 0.03
    many = answered(priors, f.THRESHOLDS, Updater(slope=2.0), 10, rng)
    low, high = rows.intervals(many, many, False, draws=60)[name]
    assert rows.measures(many, many, False)[name] == rows.retest(many)
    assert low < rows.retest(many) < high


def test_answers_that_nobody_gave_twice_have_no_interval() -> None:
    """Draws of single answers always come out as they are: an interval of no width would claim to know all."""
    once = answered((0.3,), f.THRESHOLDS, Updater(slope=2.0), 1, np.random.default_rng(7))
    assert once.counts.shape[1] == 1 and rows.intervals(once, once, False, draws=20) == {}
    twice = answered((0.3,), f.THRESHOLDS, Updater(slope=2.0), 2, np.random.default_rng(7))
    assert rows.intervals(twice, once, False, draws=20)


def test_errors_of_types_do_not_hide_each_other() -> None:
    """Half a logit too easily moved at one prior, half too hardly at the other: no error on average, and both are told."""
    rng, priors = np.random.default_rng(5), (0.2, 0.4)
    people = answered(priors, f.THRESHOLDS, Updater(slope=6.0), 60, rng)
    crossed = answered(priors, f.THRESHOLDS, Updater(slope=6.0, bias=0.5), 60, rng)
    crossed.counts[1] = answered(priors, f.THRESHOLDS, Updater(slope=6.0, bias=-0.5), 60, rng).counts[1]
    found = rows.measures(people, crossed, False)
    assert abs(found["threshold error (logits)"]) < 0.1
    assert found["threshold error (logits), prior 0.2"] == pytest.approx(0.5, abs=0.15)
    assert found["threshold error (logits), prior 0.4"] == pytest.approx(-0.5, abs=0.15)
    assert found["economic loss"] == pytest.approx(np.mean([found[f"economic loss, prior {p:g}"] for p in priors]))
    assert 0 < found["pseudo-R2: 1 - log-loss over that of chance"] < 1 - found["least log-loss"] / log(2)
    assert not any(", prior " in name for name in rows.measures(answered((0.4,), f.THRESHOLDS, Updater(slope=6.0), 9, rng),
                                                                answered((0.4,), f.THRESHOLDS, Updater(slope=6.0), 9, rng), False))
    assert "people one answer is worth" in found and "people one answer is worth" not in rows.measures(people, crossed, True)


def test_two_answers_of_people_are_enough_to_be_corrected_and_one_is_not() -> None:
    rng = np.random.default_rng(7)
    simulator = answered((0.3,), f.THRESHOLDS, Updater(slope=2.0), 5, rng)
    for asked in (1, 2):
        counts = np.zeros((1, 1, len(f.THRESHOLDS), 2, 2))
        counts[0, 0, :asked, 0] = [[k, 1] for k in range(asked)]
        people = rows.Answers((0.3,), tuple(f.THRESHOLDS), ("plain",), counts)
        assert ("people on record" in rows.measures(people, simulator, False)) == (asked == 2)


def test_one_who_always_buys_or_never_does_has_half_a_bracket(tmp_path: Path) -> None:
    """No rule turned it: its threshold is at least, or at most, the last rule asked. No slope, and a loss that is a number."""
    store, people = Store(tmp_path / "b.duckdb"), [f.respondent('people={"agent":"updater","slope":4}', "truth")]
    both = [f.respondent(f'{who}={{"agent":"updater","{field}":1.0}}', "simulator")
            for who, field in (("eager", "eager"), ("deaf", "stubborn"))]
    run, _ = synchronous(start(f.design(people, both, (0.4,), (0.2, 0.4, 0.6), tasks=("act",)), store))
    scores = f.compared(store, run, people, both, draws=20)
    told = {(s["arm"], s["benchmark"]): s["value"] for s in scores}
    assert told["simulator eager", "threshold, prior 0.4 (at least)"] == pytest.approx(logit(0.6))
    assert told["simulator deaf", "threshold, prior 0.4 (at most)"] == pytest.approx(logit(0.2))
    assert not [b for arm, b in told if b.startswith("slope") and arm != "truth people"]
    assert all(np.isfinite(v) for v in told.values())


# --- the command ---------------------------------------------------------------------------------------------------------
def test_the_command_reports_and_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, store = tmp_path / "report.html", str(tmp_path / "c.duckdb")
    given = ["fidelity", "--truth", "ideal", "--simulator", "<b>=x", "--store", store]
    assert main(given) == 2
    given = ["fidelity", "--truth", "ideal", "--simulator", 'soft={"agent":"updater","slope":3}', "--repeats", "2",
             "--thresholds", "0.2,0.4,0.6", "--store", store, "--page", str(page)]
    assert main([*given, "--estimate"]) == 0 and not Path(store).exists()
    said = capsys.readouterr().err
    assert "se of a threshold" in said and "one at a time the same calls would give 1.73 times that" in said
    assert main([*given, "--estimate", "--wording", "plain", "--wording", "clinic-reversed"]) == 0
    assert "sensitivity to order: not measured" in capsys.readouterr().err
    assert main(given) == 0
    assert "rationality" in (said := capsys.readouterr().out) and "economic loss" in said
    text = page.read_text()
    assert "data:image/png;base64," in text and "simulator soft" in text
    kept = Store(store).rows("SELECT count(*) AS n FROM score WHERE scorer = 'fidelity'")
    assert kept[0]["n"] > 10


@pytest.mark.parametrize("wrong", [["--repeats", "1"], ["--priors", "0,1"], ["--page", "x.pdf"], ["--simulator", "nobody"]])
def test_bad_input_is_one_line(wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fidelity", "--truth", "ideal", "--simulator", "mock", "--store", str(tmp_path / "x.duckdb"), *wrong]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("parlour: ")
    assert not (tmp_path / "x.duckdb").exists()


def test_kin_stay_out_of_headlines() -> None:
    """Models of one maker are kin, whatever they are called; their cell is not among the leads, and is told apart."""
    models = ("gpt-4o-mini", "openai/o3-mini", "claude-3-haiku", "mixtral-8x7b", "llama3:8b", "unheard-of-1")
    kinds = [f.respondent(json.dumps({"agent": "llm", "model": m}), "truth").family for m in models]
    assert kinds == ["openai", "openai", "anthropic", "mistral", "meta", "unheard"]
    said = answered((0.4,), f.THRESHOLDS, Updater(slope=4.0), 20, np.random.default_rng(0))
    one, kin, other = (f.Respondent(f"{role} {m}", {"agent": "llm", "model": m}) for role, m in (
        ("truth", models[0]), ("simulator", models[1]), ("simulator", models[2])))
    scores = f.pair(said, said, one, kin, 0) + f.pair(said, said, one, other, 0)
    assert [simulator for simulator, _, _ in f.matrix(scores)] == ["simulator claude-3-haiku"]
    assert [simulator for simulator, _, _ in f.matrix(scores, kin=True)] == ["simulator openai/o3-mini"]


def test_answers_on_record_are_a_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """People of slope 4 who answered before; nobody is asked for them, and a simulator like them loses nothing."""
    rng, lines = np.random.default_rng(1), ["prior,threshold,action"]
    for t in (0.2, 0.3, 0.4, 0.5, 0.6):
        acts = Receiver(logit(0.4), 4.0).acts(logit(t))
        lines += [f"0.4,{t},{('leave', 'buy')[int(rng.random() < acts)]}" for _ in range(60)]
    file, store = tmp_path / "shoppers.csv", str(tmp_path / "r.duckdb")
    file.write_text("\n".join(lines))
    given = ["fidelity", "--truth", f"recorded:{file}", "--simulator", 'like={"agent":"updater","slope":4}', "--repeats", "3", "--store",
             store, "--json"]
    assert main(given) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    arm = "simulator like for truth shoppers"
    assert abs(number(scores, arm, "economic loss")) < 0.03 and abs(number(scores, arm, "threshold error (logits)")) < 0.3
    assert number(scores, arm, "PPI++: people it is worth") > number(scores, arm, "people on record") == 300
    assert main([*given[:-1], "--estimate"]) == 0
    assert "people on record: 300 answers; corrected by a simulator (PPI++) worth" in capsys.readouterr().err
    assert {r["arm"] for r in Store(store).rows("SELECT DISTINCT arm FROM episode")} == {f"simulator like: {t}" for t in f.TASKS}
    for wrong, said in (("prior,action\n0.4,buy", "no column 'threshold'"), ("prior,threshold,action\n0.4,0.5,maybe", "line 2"),
                        ("prior,threshold,action\n0.4,1,buy", "strictly between")):
        file.write_text(wrong)
        assert main(given) == 2 and said in capsys.readouterr().err


def test_chances_stated_on_record_tell_how_people_update(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A declared mapping names their column: people who weigh the prior by .8 and the message by .5 are found to."""
    lines = ["base,cut,bought,belief,frame"]
    for prior in (0.3, 0.4):
        for cut in (0.2, 0.3, 0.45, 0.6):
            held = 1 / (1 + exp(-(0.1 + 0.8 * logit(prior) - 0.5 * logit(cut))))
            item, acts = f"{prior},{cut}", int(held >= 0.5)
            lines += [f"{item},{acts},{held},shop", f"{item},{acts},,shop", f"{item},,{held},clinic"]
    (tmp_path / "export.csv").write_text("\n".join(lines))
    mapping, store = tmp_path / "shoppers.toml", str(tmp_path / "r.duckdb")
    columns = '[csv]\nfile = "export.csv"\nprior = "base"\nthreshold = "cut"\naction = "bought"\nwording = "frame"\nstated = '
    mapping.write_text(columns + '"belief"')
    given = ["fidelity", "--truth", f"recorded:{mapping}", "--simulator", 'bayes={"agent":"updater"}', "--repeats", "2", "--store", store]
    assert main([*given, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    for name, value in (("constant", 0.1), ("weight of the prior", 0.8), ("weight of the evidence", 0.5)):
        assert number(scores, "truth shoppers", f"updating: {name}") == pytest.approx(value, abs=1e-9)
    assert number(scores, "truth shoppers", "stated chances less Bayes's rule: rms") > 0.05
    assert number(scores, "simulator bayes", "stated chances less Bayes's rule: rms") == pytest.approx(0, abs=1e-6)
    table(scores)
    assert "weighs the prior by 0.80, the message by 0.50" in capsys.readouterr().out
    for wrong in ("1.2", "-0.1", "70%", "often", "nan"):
        (tmp_path / "export.csv").write_text(f"base,cut,bought,belief,frame\n0.3,0.4,1,0.5,shop\n0.3,0.4,1,{wrong},shop")
        assert main(given) == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1 and "line 3: a stated chance is a number from 0 to 1" in said[0] and said[0].endswith(f"got '{wrong}'.")
    for text, said in (('[csv]\nfile = "export.csv"\nbelief = "b"', "no mapping belief"), ("[csv]", "needs a table [csv] with file"),
                       ('[csv]\nfile = "export.csv"\nstated = "chance"', "no column 'prior'"), ("file = ", "is not TOML"),
                       (columns + '"s"', "no column 's'")):
        mapping.write_text(text)
        assert main(given) == 2 and said in capsys.readouterr().err
