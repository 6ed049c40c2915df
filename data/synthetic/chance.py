"""Draws that depend on nothing but the words they are named by, so that a run comes out again."""

from random import Random


def chance(*names: object) -> Random:
    """Return the source of draws named by `names`; equal names give equal draws everywhere."""
    # nothing here is a secret: the same seed must give the same files on every machine
    return Random("/".join(map(str, names)))  # noqa: S311
