"""Parlour: run LLM agents in economic games, score every transcript against the analytic optimum.

    import parlour
    results = parlour.run("design.toml")     an experiment
    results.table()                          mean payoffs beside the benchmarks, a DataFrame
    parlour.play("email", protocol="advice", seats={"human": "mock", "ai": "mock"})      one episode
"""
from typing import Any

__version__ = "0.1.0"
__all__ = ["blame", "fork", "load", "open", "play", "resume", "run"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from .experiments import api
        return getattr(api, name)
    raise AttributeError(f"module 'parlour' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
