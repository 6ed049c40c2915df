"""What stands is decided by when files came, not by the order in which they were taken in.

A file that came before one that was taken in already (a correction overtook its original, a
delivery was recorded late) puts its sender's files of that round out of order. They are then judged
again in the order in which they came, from the keys and contents the register holds of them, by the
same statement as the first time; so the outcome is the one that the right order would have given.

What was told stays: the verdicts of each file, and a reference that is on a list already.
"""

from collections.abc import Sequence

from tasks.store import Store


def settle_order(store: Store) -> None:
    """Put right which rows stand, since when, and under which reference, where it matters.

    For the senders and rounds of the files in `arrived`, and of those in `came_earlier`; both are
    in memory. To be run in the transaction that stores them. Files that came at the same moment
    keep the order in which they were taken in.
    """
    store.run("order/late")
    for (sheet,) in store.rows("order/late_sheets"):
        _judge_again(store, sheet)


def date_back(store: Store, sheets: Sequence[str]) -> None:
    """Give the files in `came_earlier` the earlier time at which they have come, it turns out."""
    store.run("order/date_back")
    for sheet in sheets:
        store.run("order/date_rows_back", sheet=sheet)


def _judge_again(store: Store, sheet: str) -> None:
    store.run("order/said", sheet=sheet)
    if sheet == "referral":
        store.run("order/references")
    store.run("order/set_back", sheet=sheet)
    ((steps,),) = store.rows("order/steps", sheet=sheet)
    for step in range(1, steps + 1):
        store.run("order/step", step=step)
        store.run("order/turn", sheet=sheet)
        store.run("order/numbered", sheet=sheet)
        store.run("intake/verdict", sheet=sheet)
        store.run("intake/replace", sheet=sheet)
        store.run("order/stand", sheet=sheet)
        if sheet == "referral":
            store.run("order/give_reference")
    if sheet == "referral":
        store.run("order/keep_reference")
