"""The folder is the registry: a module's file name is the registered name of the one class it holds.

`games/email.py` holds the game `email`. Other packages add their own through the entry-point groups
`parlour.games`, `parlour.protocols` and `parlour.agents` (name = module path). Nothing else is edited.
"""
import importlib
import inspect
import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from .errors import FieldError, UnknownName

FOLDERS = ("games", "protocols", "agents")
UNION_TAGS = ("constrained-", "literal[", "function-")
"""What pydantic puts into an error's place for the members of a union: nothing a user has written."""


@cache
def modules(folder: str) -> dict[str, str]:
    """Registered name -> module path, for one of the three folders, in alphabetical order.

    Every module of the folder counts but those its `__init__` names in HELPERS. `base.py` names in REGISTERED the class
    of which a registered module holds exactly one subclass.
    """
    package = importlib.import_module(f".{folder}", __package__)
    own = {m.name: f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(package.__path__)
           if not m.ispkg and m.name not in package.HELPERS}
    foreign = {e.name: e.value for e in entry_points(group=f"parlour.{folder}")}
    return dict(sorted({**foreign, **own}.items()))


@cache
def load(folder: str, name: str) -> Any:
    """The class registered as `name` in `folder`. Raises UnknownName, with the nearest names there are."""
    known = modules(folder)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else f" A model of a provider is llm:{name}." if name and folder == "agents" else ""
        raise UnknownName(f"no {folder[:-1]} '{name}'.{hint} There are: {', '.join(known)}.")
    try:
        module = importlib.import_module(known[name])
    except ImportError as error:
        raise UnknownName(f"{folder[:-1]} '{name}' is registered as {known[name]}, which cannot be imported: {error}.") from error
    base = importlib.import_module(f".{folder}.base", __package__).REGISTERED
    every: list[Any] = [c for _, c in inspect.getmembers(module, inspect.isclass)
                        if issubclass(c, base) and c.__module__ == module.__name__]
    found = [c for c in every if not inspect.isabstract(c)]
    if len(found) != 1:
        lacks = "".join(f" {c.__name__} lacks {', '.join(sorted(c.__abstractmethods__))}." for c in every if inspect.isabstract(c))
        raise UnknownName(f"{known[name]} must define exactly one {base.__name__}, it defines {len(found)}.{lacks}")
    return found[0]


def name_of(thing: Any) -> str:
    """The registered name of an instance or class: the last part of its module's name."""
    return (thing if inspect.isclass(thing) else type(thing)).__module__.rpartition(".")[2]


def build(folder: str, name: str, fields: dict[str, Any]) -> Any:
    """An instance of the class registered as `name`. Raises UnknownName or FieldError (one line)."""
    from pydantic import ValidationError
    cls = load(folder, name)
    try:
        return cls.model_validate(fields)
    except ValidationError as error:
        raise FieldError(f"{folder[:-1]} '{name}': {explain(error, tuple(cls.model_fields))}") from None


def explain(error: Any, known: tuple[str, ...] = ()) -> str:
    """A pydantic ValidationError as one line: every field, what was given, what is wrong."""
    lines = []
    for e in error.errors(include_url=False, include_context=False):
        where = ".".join(str(p) for p in e["loc"] if not str(p).startswith(UNION_TAGS)) or "fields"
        given = repr(e.get("input"))
        if e["type"] == "extra_forbidden":
            near = get_close_matches(where, known, n=1)
            hint = f" (did you mean '{near[0]}'?)" if near else ""
            lines.append(f"no field '{where}'{hint}; fields are {', '.join(known)}" if known else f"no field '{where}'{hint}")
        elif e["type"] == "value_error":
            lines.append(e["msg"].removeprefix("Value error, "))
        else:
            got = f" (got {given[:60]})" if e["type"] != "missing" else ""
            lines.append(f"{where}: {e['msg'][0].lower()}{e['msg'][1:]}{got}")
    return "; ".join(lines)
