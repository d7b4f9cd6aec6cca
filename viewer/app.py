"""The pages: which address shows what. Every request opens the store anew, reads, and closes it."""
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ..errors import InputError, StoreError
from ..transcripts.seal import noted
from ..transcripts.talk import find_run, talk
from . import compare, conversation, documents, simulations, verified
from .analysis import Analysis, analysis, known
from .episodes import beside, episodes
from .guard import DOCUMENT
from .plots import available, plot
from .reader import Kept, Reader
from .runs import listing, one
from .templates import environment

KINDS = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv; charset=utf-8"}
DRAWN = Kept(64)
STATIC = {"style.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}


def app(store: Path) -> Starlette:
    """The app over one store file."""
    routes = [
        Route("/", _runs), Route("/run/{run}", _run), Route("/run/{run}/episodes", _episodes), Route("/run/{run}/analysis", _analysis),
        Route("/run/{run}/verify", _verify), Route("/run/{run}/report", _report), Route("/run/{run}/fidelity", _fidelity),
        Route("/run/{run}/contracts", _contracts), Route("/compare", _compare), Route("/run/{run}/plot/{name}.{kind}", _plot),
        Route("/simulations", _simulations), Route("/simulations/{number:int}/{name}.{kind}", _simulated),
        Route("/run/{run}/{episode:int}", _transcript), Route("/static/{name}", _static),
    ]
    made = Starlette(routes=routes, exception_handlers={InputError: _refused, HTTPException: _missing, Exception: _broken})
    made.state.store = store
    return made


# --- what every page needs ----------------------------------------------------------------------------------------------
def page(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page made from a template."""
    given = dict(request.query_params)

    def link(**changes: Any) -> str:
        """This page with some of its query changed; the page number begins anew unless it is what is changed."""
        kept = {k: v for k, v in given.items() if k not in ("page", "key")} | {k: v for k, v in changes.items() if v not in ("", None)}
        return "?" + urlencode({k: v for k, v in kept.items() if k not in changes or changes[k] not in ("", None)})

    guard = request.app.state.guard
    share = str(request.url.replace(query=urlencode({"key": guard.key(request.url.path)})))
    text = environment().get_template(name).render(given=given, link=link, file=request.app.state.store.name, share=share,
                                              shared="key" in given, **values)
    return HTMLResponse(text, status)


def _store(request: Request) -> Reader:
    return Reader(request.app.state.store)


def _named(request: Request, store: Reader) -> str:
    return find_run(store, request.path_params["run"])


def _refused(request: Request, error: Exception) -> Response:
    """Bad input, or a store that cannot be read: a page with the line that a terminal would show."""
    busy = isinstance(error, StoreError) and "held open" in str(error)
    status = 503 if busy else 404 if str(error).startswith(("no ", "more than one")) else 400
    return page(request, "error.html", status, title="Busy" if busy else "Not there" if status == 404 else "Not possible",
                message=str(error), busy=busy)


def _missing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return page(request, "error.html", error.status_code, title="Not there", busy=False, message=f"no page at {request.url.path}.")


def _broken(request: Request, error: Exception) -> Response:
    return page(request, "error.html", 500, title="A mistake of ours", busy=False, message=f"{type(error).__name__}: {error}")


# --- pages --------------------------------------------------------------------------------------------------------------
def _runs(request: Request) -> Response:
    found = listing(_store(request), request.query_params)
    return page(request, "runs.html", title="Runs", table=found, live=any(r["status"] == "running" for r in found.rows))


def _run(request: Request) -> Response:
    store = _store(request)
    with store.reading():
        try:
            run = _named(request, store)
        except StoreError:
            row = one(store, request.path_params["run"])  # its journal alone knows it yet
            return page(request, "run.html", title=row["run"], row=row, live=True, about={}, arms=[], root=None, episodes=None)
        row = one(store, run)
        lazy = not known(store, run)  # the page comes at once, and what is still to be computed after it
        return page(request, "run.html", title=run, row=row, live=row["status"] == "running", root=noted(store, run), lazy=lazy,
                    about=store.rows("SELECT * FROM run WHERE run = ?", [run])[0], reports=_reports(store, run),
                    arms=store.rows("SELECT * FROM arm WHERE run = ? ORDER BY rowid", [run]),
                    episodes=episodes(store, run, request.query_params), **({} if lazy else _numbers(store, run)))


def _analysis(request: Request) -> Response:
    store = _store(request)
    with store.reading():
        run = _named(request, store)
        return page(request, "analysis.html", title=run, row=one(store, run), **_numbers(store, run))


def _numbers(store: Reader, run: str) -> dict[str, Any]:
    """What a run comes to; why not, where its game is not installed here: the rows are still good."""
    try:
        return {"found": analysis(store, run), "plots": [plot(store, run, name) for name in available(store, run)], "problem": ""}
    except InputError as error:
        return {"found": Analysis(), "plots": [], "problem": str(error)}


def _reports(store: Reader, run: str) -> list[tuple[str, str]]:
    try:
        return documents.there_are(store, run)
    except InputError:  # a game that is not installed here
        return []


def _episodes(request: Request) -> Response:
    store = _store(request)
    with store.reading():
        run = _named(request, store)
        return page(request, "episodes.html", title=f"Episodes of {run}", run=run, episodes=episodes(store, run, request.query_params))


def _transcript(request: Request) -> Response:
    store = _store(request)
    with store.reading():
        run, episode = _named(request, store), request.path_params["episode"]
        found = talk(store, run, episode)
        first = int(t) if (t := request.query_params.get("from", "0")).isdigit() else 0
        said = conversation.conversation(store, found, first)
        before, after = beside(store, run, episode)
        checked = verified.episode(store, run, episode) if "verify" in request.query_params else None
        return page(request, "transcript.html", title=f"{run}/{episode}", talk=found, said=said, before=before, after=after,
                    checked=checked, worth=conversation.worth(found), seal=conversation.sealed(store, run, episode), span=conversation.SPAN,
                    forks=dict(conversation.forks(store, found, store.path.name)))


def _verify(request: Request) -> Response:
    store = _store(request)
    run = _named(request, store)
    return page(request, "verify.html", title=f"Verification of {run}", run=run, checked=asdict(verified.whole(store, run)),
                root=noted(store, run))


def _report(request: Request) -> Response:
    store = _store(request)
    with store.reading():
        return _document(documents.run_report(store, _named(request, store)))


def _fidelity(request: Request) -> Response:
    store = _store(request)
    run = _named(request, store)
    found = documents.fidelity(store, run)
    if isinstance(found, str):
        return _document(found)
    return page(request, "scores.html", title=f"Fidelity of {run}", heading="Fidelity", run=run, scores=found,
                about="Distance to people on record, per simulator.")


def _contracts(request: Request) -> Response:
    store = _store(request)
    run = _named(request, store)
    return page(request, "scores.html", title=f"Contracts of {run}", heading="Contracts", run=run, scores=documents.contracts(store, run),
                about="Whether contracts were obeyed, and what they and their evaluators were worth, as parlour compliance says it.")


def _document(text: str) -> Response:
    """A self-contained document as it is, under the policy that fits it."""
    return HTMLResponse(text, headers={"content-security-policy": DOCUMENT})


def _compare(request: Request) -> Response:
    store = _store(request)
    a, b = (request.query_params.get(k, "").strip() for k in "ab")
    found = compare.compared(store, a, b) if a and b else None
    names = [r["run"] for r in store.rows("SELECT run FROM run ORDER BY written DESC LIMIT 40")]
    return page(request, "compare.html", title="Compare", names=names, episodes=found if isinstance(found, compare.Episodes) else None,
                runs=found if isinstance(found, compare.Runs) else None)


def _simulations(request: Request) -> Response:
    return page(request, "simulations.html", title="Simulations", groups=simulations.groups(_store(request)), pictures=simulations.PICTURES)


def _simulated(request: Request) -> Response:
    kind, number, name, store = _kind(request), request.path_params["number"], request.path_params["name"], _store(request)
    with store.reading():
        body = DRAWN.get(store, (number, name, kind), lambda: simulations.picture(store, number, name, kind))
    return _picture(request, body, kind, f"simulations-{number}-{name}")


def _plot(request: Request) -> Response:
    kind, store = _kind(request), _store(request)
    with store.reading():
        run = _named(request, store)
        name, dark = request.path_params["name"], "dark" in request.query_params
        body = DRAWN.get(store, (run, name, kind, dark), lambda: plot(store, run, name).save(kind, dark))
    return _picture(request, body, kind, f"{run}-{name}")


def _kind(request: Request) -> str:
    """The form in which a picture is asked for. Raises InputError."""
    kind = str(request.path_params["kind"])
    if kind not in KINDS:
        raise InputError(f"no kind '{kind[:20]}' of plot; there are: {', '.join(KINDS)}.")
    return kind


def _picture(request: Request, body: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.{kind}"'} if "save" in request.query_params else {}
    return Response(body, media_type=KINDS[kind], headers=headers)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    return Response((resources.files(__package__) / "pages" / name).read_bytes(), media_type=STATIC[name])


