"""Experiments: time and money. A design becomes many episodes; the command line and the Python door."""
