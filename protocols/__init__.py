"""Protocols: order and waiting. One protocol per file; the file's name is the protocol's name."""
HELPERS = ("base", "codec", "contracting", "patience", "scored_text", "seat", "session", "writing")
