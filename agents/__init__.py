"""Agents: words for an ask. One kind per file; the file's name is the agent's name."""
HELPERS = ("base", "chances", "clients", "faults", "mock_server")
