"""Agents: words for an ask. One kind per file; the file's name is the agent's name."""
HELPERS = ("bandit", "base", "cache", "chances", "clients", "desk", "desk_server", "faults", "forms", "handed", "learner", "limits",
           "mock_server", "purse", "sandbox", "scoring", "service", "visitors")
