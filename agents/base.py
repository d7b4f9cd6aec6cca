"""What every agent is: a frozen model whose fields are its spec, with one coroutine that gives words for a turn.

An agent sees its `Turn` alone: asks, wording, its own past words, a seed. It imports no game, no solver, no other agent's
words. A module of this folder that holds one Agent is a kind of agent, named like its file; helpers stand in HELPERS.
"""
from ..protocols.seat import Agent

REGISTERED = Agent
