"""Agents: words for an ask. One kind per file; the file's name is the agent's name."""
HELPERS = ("base", "cache", "chances", "clients", "faults", "limits", "mock_server", "purse", "sandbox", "scoring", "service")
