"""The synthetic generator: what villages would really send, and beside it what a run must find.

Every name, number and village in it is invented. Nothing here reads a register or a ledger, and the
truth is written from what was put in, never by judging the files again.
"""
