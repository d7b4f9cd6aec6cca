"""People on record: shipped figures, what is measured of simulators beside them, the command, and files of one's own."""
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parlour.agents.faults import Faults
from parlour.agents.mock_server import MockServer
from parlour.errors import DesignError, UnknownName
from parlour.experiments import fidelity as f
from parlour.experiments import humans, survey
from parlour.experiments.api import synchronous
from parlour.experiments.cli import main
from parlour.experiments.design import game_of
from parlour.experiments.humans import importers
from parlour.experiments.runner import start
from parlour.transcripts import agreement as closeness
from parlour.transcripts import designs
from parlour.transcripts import people as compared
from parlour.transcripts.mixtures import dispersion, left_out, mixture, sampling_noise
from parlour.transcripts.store import Store

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "human_data.json").read_text())
HUMAN = {v["kind"]: v for v in VECTORS}
ABOUT = {"title": "t", "source": "mine", "licence": "CC0", "asking": "once"}


def number(scores: list[dict[str, Any]], arm: str, measure: str) -> float:
    return next(s["value"] for s in scores if s["arm"] == arm and s["benchmark"] == measure)


def test_every_data_set_says_what_it_is_and_can_be_asked() -> None:
    assert {"charness_rabin", "price_gouging", "status_quo", "hiring", "ultimatum", "wisdom_of_crowds", "garden_path", "milgram",
            "demand_curve"} <= set(humans.names())
    for name in humans.names():
        people = humans.data_set(name)
        assert people.source and people.licence and people.asking and game_of(people.game)


def test_charness_rabin_in_and_out_of_sample() -> None:
    want, people = HUMAN["charness_rabin"]["expected"], humans.data_set("charness_rabin")
    h = [q.shares[0] for q in people.questions]
    assert h == list(want["human_left"].values())
    types = [want["type_vectors"][k] for k in ("fair_as_observed_GPT3", "efficient", "selfish")]
    weights, sse = mixture(types, h)
    assert weights == pytest.approx(want["mixture_fair_eff_selfish"]) and sse == pytest.approx(want["sse"])
    exact = mixture([want["type_vectors"]["inequity_minimiser"], *types[1:]], h)
    assert exact[0] == pytest.approx(want["mixture_with_exact_inequity_minimiser"]) and exact[1] == pytest.approx(want["sse2"])
    assert closeness.rmse(h, [0.5] * 6) == pytest.approx(want["rmse_uniform_50"])
    assert closeness.rmse(h, types[2]) == pytest.approx(want["rmse_selfish"])
    assert closeness.rmse(h, types[1]) == pytest.approx(want["rmse_efficient"])
    assert np.sqrt(sse / 6) == pytest.approx(0.183, abs=5e-4) and left_out(types, h) == pytest.approx(0.296, abs=5e-4)
    assert sampling_noise(h, [q.n or 0 for q in people.questions]) == pytest.approx(0.08, abs=0.005)
    assert dispersion([0.5] * 6, h) == 0
    told = survey.baselines(people)
    assert [told[k] for k in ("mixture of types, in sample", "mixture of types, leave one question out",
                              "root mean squared error of always one half", "sampling noise of as many people")] == [
        pytest.approx(x, abs=5e-4) for x in (0.183, 0.296, 0.273, 0.0752)]


def test_the_published_shares_are_counts_of_the_sizes_on_record() -> None:
    """The sizes are from memory of the paper; each published share is a count over its size, to two decimals."""
    for q in humans.data_set("charness_rabin").questions:
        assert q.n and any(round(k / q.n, 2) == q.shares[0] for k in range(q.n + 1)), q.key


def test_shipped_figures_are_the_references() -> None:
    deaths = np.cumprod([q.shares[0] for q in humans.data_set("milgram").questions])
    assert [1.0, *deaths[:29]] == pytest.approx(HUMAN["milgram_human"]["expected"]["survival"], abs=1e-9)
    want = HUMAN["ultimatum_human_accept"]
    lm, points = want["input"]["LM5_accept_by_offer"], sorted(want["input"]["human_points"])
    assert [q.shares[0] for q in humans.data_set("ultimatum").questions] == [p for _, p in points]
    said = [float(np.interp(o, range(11), lm)) for o, _ in points]
    assert closeness.rmse(said, [p for _, p in points]) == pytest.approx(want["expected"]["rmse"])
    garden, want = humans.data_set("garden_path").questions, HUMAN["garden_path_human"]["expected"]
    for study, shares in (("Christianson2001", [q.shares[0] for q in garden]), ("Patson2009", [q.again[0] for q in garden])):
        assert shares == pytest.approx([*want[study].values()])
    for v in VECTORS:
        if v["kind"] == "jsd_bits":
            p, q = v["input"]["p"], v["input"]["q"]
            assert (closeness.jensen_shannon(p, q), closeness.distance(p, q)) == pytest.approx((v["expected"]["jsd"], v["expected"]["tv"]))
        if v["kind"] == "wisdom_of_crowds_human":
            item = next(i for i in humans.data_set("wisdom_of_crowds").questions if i.key == v["input"]["question"])
            assert item.median == v["expected"]["median"] and item.iqr / item.truth == pytest.approx(v["expected"]["norm_iqr"])  # type: ignore[operator]


def test_views_and_versions_are_put_to_every_question() -> None:
    """Six politics, six views of cars and of highways, twelve sentences of each kind with and without a comma, four kinds of customers."""
    for name, ways in (("price_gouging", 6), ("status_quo", 12), ("garden_path", 12), ("demand_curve", 4), ("charness_rabin_endowed", 3)):
        of = humans.data_set(name)
        asked = of.game["questions"]
        assert len(of.ways) == ways and len({q["key"] for q in asked}) == len({q["text"] for q in asked}) == ways * len(of.questions)
        assert len({q["isomorph"] for q in asked}) == len(asked)
        assert not any("{}" in q["text"] + q["isomorph"] for q in asked)
    control, _, garden, _ = humans.data_set("garden_path").questions
    assert [c.replace(",", "") for c in control.versions] == list(garden.versions) and all(c.count(",") == 1 for c in control.versions)


def test_what_views_do_is_found() -> None:
    """Moderates accept all, the others nothing, and the verb moves socialists at 20 alone; answers of one question are pooled."""
    of = humans.data_set("price_gouging")
    said = [survey.Said(i, v, "plain", "Acceptable" if view == "moderate" or (view, q.key) == ("socialist", "changes the price to 20")
                        else "Unfair") for v, view in enumerate(of.ways) for i, q in enumerate(of.questions)]
    found = survey.designed(of, said)
    assert found["fair or acceptable at 16: moderate"] == 1 and found["fair or acceptable at 16: liberal"] == 0
    moved = {name: x for name, x in found.items() if name.startswith('effect of "changes"') and x}
    assert moved == {'effect of "changes" for "raises" at 20: socialist': 1.0}
    assert found["fair or acceptable: changes the price to 20"] == pytest.approx(2 / 6)
    assert survey.choices(of, said).counts.shape == (1, 8, 2)
    for name, true in (("effect of a higher income on the share that buys", 1.0),
                       ("effect of having bought it last on the share that buys", 0.0)):
        demand = humans.data_set("demand_curve")
        rich = [survey.Said(i, v, "plain", "buy" if "120000" in way else "leave") for v, way in enumerate(demand.ways)
                for i in range(len(demand.questions))]
        assert survey.designed(demand, rich)[name] == true


def test_endowed_types_make_up_people_as_published() -> None:
    """One who chooses as GPT-3 did when told what to care for: weights .154, .324, .521, in sample .183, left out .296."""
    of, types = humans.data_set("charness_rabin_endowed"), humans.data_set("charness_rabin").types
    said = [survey.Said(i, v, "plain", of.labels[int(1 - chance)]) for v, way in enumerate(of.ways) for i, chance in enumerate(types[way])]
    found = survey.designed(of, said)
    assert [found[f"mixture: weight of the {way}"] for way in of.ways] == pytest.approx(
        HUMAN["charness_rabin"]["expected"]["mixture_fair_eff_selfish"])
    assert found["mixture of views, in sample"] == pytest.approx(0.183, abs=5e-4)
    assert found["mixture of views, leave one question out"] == pytest.approx(0.296, abs=5e-4)


def test_what_the_numbers_come_to_is_said(asked: list[dict[str, Any]]) -> None:
    said = "\n".join(survey.verdicts(asked))
    assert "fits by 0.183 and predicts by 0.296, worse than always one half (0.273)" in said
    assert "simulator modal: off by" in said and "no better than always one half" in said and "off by 0.075 from chance alone" in said
    assert "simulator like: asked for the result, off by 0.000" in said and "it may have read it" in said


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Two simulators of the six choices: one draws from people's shares, one always gives the modal answer; both know the results."""
    people, store = humans.data_set("charness_rabin"), Store(tmp_path_factory.mktemp("people") / "h.duckdb")
    both = [f.respondent("like=strategy:people", "simulator"), f.respondent("modal=strategy:optimum", "simulator")]
    run, _ = synchronous(start(survey.design(people, both, 30, ("plain", "isomorph"), 0), store))
    return survey.scores(store, run, people, both, draws=40)


def test_a_simulator_that_answers_as_people_do_is_near_them(asked: list[dict[str, Any]]) -> None:
    half = number(asked, "people", "root mean squared error of always one half")
    assert number(asked, "simulator like", "root mean squared error") < 0.1
    assert number(asked, "simulator modal", "root mean squared error") > half
    assert number(asked, "simulator modal", "dispersion ratio") > 1.3
    assert abs(number(asked, "simulator like", "contamination: isomorph less canonical distance")) < 0.12
    span = next(s for s in asked if s["arm"] == "simulator like" and s["benchmark"] == "total variation")
    assert 0 <= span["low"] < span["high"]


def test_one_who_has_read_the_result_is_caught_reciting_it(asked: list[dict[str, Any]]) -> None:
    """Both recite without an error. A model's recital in Horton (2023) was far off: it had not memorised them."""
    assert number(asked, "simulator like", "recitation: mean error") == 0
    people = humans.data_set("charness_rabin")
    said = {"Berk29": 59, "Berk26": 57, "Berk23": 43, "Barc2": 16}
    row = {"status": "done", "wording": "plain"}
    rows = [{**row, "state": json.dumps({"fields": {"at": i}}), "move": json.dumps({"fields": {"number": said[q.key]}})}
            for i, q in enumerate(people.questions) if q.key in said]
    found = survey.recited(people, rows)
    assert found["recitation: mean error"] == pytest.approx((0.28 + 0.21 + 0.57 + 0.36) / 4)
    assert found["recitation: mean error"] > found["recitation: mean error of always one half"]


def test_people_are_corrected_by_a_simulator_and_worth_more(asked: list[dict[str, Any]]) -> None:
    """PPI++: a simulator like the people lends them precision; over many draws it is unbiased, and gains what the formula says."""
    assert number(asked, "simulator like", "PPI++: people it is worth") > number(asked, "simulator like", "people on record") == 200
    rng, truth, share = np.random.default_rng(0), np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.2, 0.4, 0.5, 0.8])
    found = []
    for _ in range(300):
        n = np.bincount(rng.integers(0, 4, 80), minlength=4)
        found.append(closeness.corrected(rng.binomial(n, truth), n, share, [500] * 4))
    estimates, plain = (np.array([x[k] for x in found]) for k in ("PPI++: people's mean share", "people's mean share"))
    assert estimates.mean() == pytest.approx(0.5, abs=4 * estimates.std() / np.sqrt(300))
    within = (truth * (1 - truth)).mean()
    rho = float(np.corrcoef(share, truth)[0, 1] * np.sqrt(truth.var() / (truth.var() + within)))
    ratio, worth = closeness.ppi_gain(rho, 80, 2000)
    assert estimates.var() / plain.var() == pytest.approx(ratio, rel=0.3)
    assert np.mean([x["PPI++: people it is worth"] for x in found]) == pytest.approx(worth, rel=0.15)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] == "hiring_min_wage"], ids=lambda v: f"beta {v['input']['beta']}")
def test_hiring_under_a_minimum_wage(vector: dict[str, Any]) -> None:
    """One who pays up to beta for a year of experience, on the shipped questions."""
    given, want, items = vector["input"], vector["expected"], humans.data_set("hiring").questions
    taken = []
    for q in items:
        assert q.asks and q.minimum is not None
        one, two = (max(ask, q.minimum) for ask in q.asks)
        taken.append(float(one - two <= given["beta"]))
    found = designs.hiring([q.asks for q in items], [q.experience for q in items], [q.minimum or 0 for q in items], taken)
    for mine, theirs in (("wage of those hired", "wage_no_mw"), ("experience of those hired", "exp_no_mw"),
                         ("wage of those hired, minimum wage", "wage_mw"), ("experience of those hired, minimum wage", "exp_mw"),
                         ("effect of the minimum wage on wage", "d_wage"), ("effect of the minimum wage on experience", "d_exp")):
        assert found[mine] == pytest.approx(want[theirs])


def test_price_gouging_is_the_vector() -> None:
    want, people = HUMAN["kkt_snow_shovel"]["expected"], humans.data_set("price_gouging")
    known, = (q for q in people.questions if q.merged)
    assert (known.key, known.merged[1], known.n) == ("raises the price to 20", want["human_unfair_or_very_unfair"], want["n"])
    assert list(people.labels) == want["labels"] and people.grouped((1, 2, 3, 4)) == (3, 7)
    assert {int(q.key.split()[-1]) for q in people.questions} == set(want["grid_prices"])


def test_demand_gives_back_what_an_attribute_is_worth() -> None:
    """A logit buyer to whom the attribute is worth 1.5; one who never errs has no slope, and is said to have none."""
    items, rng = humans.data_set("demand_curve").questions, np.random.default_rng(2)
    price, attribute = (np.array([getattr(q, name) for q in items], float) for name in ("price", "attribute"))
    share = 1 / (1 + np.exp(-(3 - 0.8 * price + 0.8 * 1.5 * attribute)))
    found = designs.demand(price, attribute, rng.binomial(400, share), [400] * len(items))
    assert found.slope is not None and found.worth is not None and found.slope_se and found.worth_se
    assert abs(found.slope + 0.8) <= 4 * found.slope_se and abs(found.worth - 1.5) <= 4 * found.worth_se
    flat = designs.demand(price, attribute, np.full(len(items), 3.0), [9] * len(items))
    assert (flat.worth, flat.worth_se) == (None, None) and flat.slope == pytest.approx(0, abs=1e-9) and flat.falls
    sure = designs.demand(price, attribute, 9.0 * (price <= 4 + attribute), [9] * len(items))
    assert (sure.slope, sure.worth, sure.falls) == (None, None, True)


def test_status_quo_and_obedience() -> None:
    assert designs.status_quo([0.5, 0.3, 0.2], np.diag([0.6, 0.3, 0.1])) == pytest.approx([0.1, 0.0, -0.1])
    people = humans.data_set("milgram")
    assert designs.obedience([q.shares[0] for q in people.questions])[-1] == pytest.approx(26 / 40)
    assert people.questions[-1].n == 26


def test_a_bootstrap_covers_what_it_should() -> None:
    """The simulator equals people: its error is 0, and the interval of the dispersion ratio holds 1."""
    h = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]] * 4)
    c = compared.Choices(h, np.full(12, 200.0), np.rint(1000 * h)[None], ("plain",))
    assert compared.measures(c)["root mean squared error"] == pytest.approx(0)
    low, high = compared.intervals(c, draws=60)["dispersion ratio"]
    assert low < 1 < high


def test_the_interval_of_a_flat_simulators_spread_covers_it() -> None:
    """A fifth of people's spread, thirty answers a question: percentiles alone hold it in one of three samples, for noise adds up."""
    rng, held = np.random.default_rng(3), 0
    for _ in range(14):
        h = rng.beta(1.5, 1.5, 8)
        people, own = rng.binomial(40, h) / 40, rng.binomial(30, 0.5 + 0.2 * (h - 0.5)).astype(float)
        c = compared.Choices(np.column_stack([people, 1 - people]), np.full(8, 40.0), np.stack([own, 30 - own], axis=-1)[None], ("plain",))
        low, high = compared.intervals(c, draws=40)["dispersion ratio"]
        held += low <= 0.2 <= high
    assert held >= 11


@pytest.mark.parametrize(("name", "shown"), [
    ("hiring", "effect of the minimum wage on wage"), ("status_quo", "status quo effect, mean over options"),
    ("demand_curve", "demand never rises with the price"), ("price_gouging", "fair or acceptable: raises the price to 20"),
    ("wisdom_of_crowds", "ratio of interquartile ranges")])
def test_the_command_measures_every_design(name: str, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "p.html"
    assert main(["fidelity", "--truth", f"humans:{name}", "--simulator", "r=random", "--repeats", "2", "--wording", "plain", "--store",
                 str(tmp_path / "s.duckdb"), *(["--page", str(page)] if name == "price_gouging" else [])]) == 0
    assert shown in capsys.readouterr().out
    if name == "price_gouging":
        assert "data:image/png;base64," in page.read_text() and shown in page.read_text()


@pytest.mark.parametrize("wrong", [["--page", "x.pdf"], ["--page", "x.png"], ["--priors", "0.2"], ["--truth", "humans:milgram"]])
def test_bad_input_is_one_line(wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["fidelity", "--truth", "humans:wisdom_of_crowds", "--simulator", "random", "--store", str(tmp_path / "x.duckdb")]
    assert main([*given, *wrong]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("parlour: ") and not (tmp_path / "x.duckdb").exists()


def test_a_model_is_asked_over_http_and_its_faults_are_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mock model, a third of its replies malformed and one attempt each: a third of the questions go without an answer."""
    with MockServer(faults=Faults(rate=1 / 3, kinds=("malformed",))) as server:
        seat = json.dumps({"agent": "llm", "model": "any", "endpoint": server.endpoint, "is_mock": True})
        assert main(["fidelity", "--truth", "humans:charness_rabin", "--simulator", f"m={seat}", "--repeats", "4", "--attempts", "1",
                     "--store", str(tmp_path / "s.duckdb"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["scores"]
    assert number(found, "simulator m", "answered") == pytest.approx(2 / 3, abs=0.2)
    assert number(found, "simulator m", "recitation: mean error") > 0.05 < number(found, "simulator m", "root mean squared error")


# --- one's own ------------------------------------------------------------------------------------------------------------
OTREE = """participant.id_in_session,participant.code,participant._is_bot,player.accepted,session.code,session.is_demo
1,46kxib6w,0,1,7bfqtokx,0
2,iay3dhkn,0,0,7bfqtokx,0
3,4zhzdmzo,0,,7bfqtokx,0
4,3ttf7yix,1,1,7bfqtokx,0
5,2d72mfgh,0,1,87k2lr4z,1
"""
GLEE = {
    "bargaining": """alice_gain,bob_gain,message,player,round,decision
7354.0,2646.0,Good,Alice,1,None
,,None,Bob,1,reject
5000.0,5000.0,Half each.,Bob,2,None
,,None,Alice,2,reject
4800.0,5200.0,Half each.,Bob,3,None
,,None,Alice,3,accept
""",
    "negotiation": "message,product_price,player,round,decision\nTake it,10000.0,Bob,1,\n,,Alice,1,AcceptOffer\nNo,10000.0,Bob,2,\n"
                   ",,Alice,2,RejectOffer\n",
    "persuasion": """round_quality,product_worth,player,round,message,decision
high-quality,40000.0,Nature,1,,
,,Bob,1,It is good,
,,Alice,1,,yes
low-quality,0.0,Nature,2,,
,,Bob,2,It is good,
,,Alice,2,,no
"""}


def test_ones_own_answers_are_imported(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("q,said\nTake it?,yes\nTake it?,no\nTake it?,yes\nTake it?,yes\n")
    made = importers.from_csv(file, {"question": "q", "answer": "said"}, ABOUT)
    assert made.labels == ("yes", "no") and made.questions[0].shares == (0.75, 0.25) and made.questions[0].n == 4
    (tmp_path / "mine.toml").write_text('title = "t"\nsource = "mine"\nlicence = "CC0"\nasking = "once"\n'
                                        '[csv]\nfile = "a.csv"\nquestion = "q"\nanswer = "said"\n')
    assert humans.data_set(str(tmp_path / "mine.toml")) == made
    with pytest.raises(DesignError, match="no column 'word'"):
        importers.from_csv(file, {"question": "q", "answer": "word"}, ABOUT)
    with pytest.raises(DesignError, match="no file"):
        importers.from_csv(tmp_path / "b.csv", {"question": "q", "answer": "said"}, ABOUT)
    with pytest.raises(UnknownName, match="charness_rabin"):
        humans.data_set("nobody")


def test_otrees_export_without_bots_demos_and_gaps(tmp_path: Path) -> None:
    file = tmp_path / "app_2026-01-01.csv"
    file.write_text(OTREE)
    made = importers.from_otree(file, "player.accepted", "Do you accept?", ABOUT)
    assert made.questions[0].shares == (0.5, 0.5) and made.questions[0].n == 2


@pytest.mark.parametrize(("game", "question"), [("bargaining", "about 50 %"), ("negotiation", "price of 10000.0"),
                                                ("persuasion", "It is good")])
def test_glees_games_give_what_humans_decided(game: str, question: str, tmp_path: Path) -> None:
    folder = tmp_path / game / "0" / "0003852CF8408F00"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"game_type": game, "player_1_type": "otree", "player_2_type": "otree_LLM"}))
    (folder / "game.csv").write_text(GLEE[game])
    asked, = importers.from_glee(tmp_path, game, ABOUT).questions
    assert question in asked.text and asked.shares == (0.5, 0.5) and asked.n == 2
    with pytest.raises(DesignError, match="no human decided"):
        importers.from_glee(tmp_path, next(g for g in GLEE if g != game), ABOUT)
    with pytest.raises(DesignError, match="no game"):
        importers.from_glee(tmp_path, "chess", ABOUT)


@pytest.mark.parametrize(("text", "said"), [
    ('title = "t"', "source"), ("x = ", "TOML"), ('title="t"\n[otree]\nfile="x.csv"', "lacks 'field'"),
    ('title="t"\nsource="s"\nlicence="l"\nasking="a"\nlabels=["a","b"]\n[types]\nx=[1,1]\n[[questions]]\nkey="k"\ntext="?"\nisomorph="?"',
     "one chance per question"),
    ('title="t"\nsource="s"\nlicence="l"\nasking="a"\ndesign="demand"\nlabels=["a","b"]\n[[questions]]\nkey="k"\ntext="?"\nisomorph="?"',
     "needs its price"),
    ('title="t"\nsource="s"\nlicence="l"\nasking="a"\nlabels=["a","b"]\n[views]\nx="You are x."\n[contrasts]\ne=[["x"],["y"]]\n'
     '[[questions]]\nkey="k"\ntext="?"\nisomorph="?"', "no view 'y'"),
    ('title="t"\nsource="s"\nlicence="l"\nasking="a"\nlabels=["a","b"]\n[[questions]]\nkey="k"\ntext="{}?"\nisomorph="?"\n'
     'versions=["p","q"]\n[[questions]]\nkey="l"\ntext="?"\nisomorph="?"', "as many versions")])
def test_a_bad_file_of_ones_own_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(DesignError, match=said):
        humans.data_set(str(tmp_path / "bad.toml"))
