"""Transcripts: disk. The journal, the DuckDB store that takes journals in, and scores computed from rows alone."""
