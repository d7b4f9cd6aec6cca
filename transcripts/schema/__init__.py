"""Numbered migrations of the store, applied in order; each is plain commented SQL."""
