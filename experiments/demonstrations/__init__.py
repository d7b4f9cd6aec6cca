"""Demonstrations, one per file: a question, the designs that answer it, and what is to come out, by formula and by play.

A module's name is the demonstration's. It has TITLE, QUESTION and `play(stage)`; see `stage`. Its designs are in `examples`.
"""
