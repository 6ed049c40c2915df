"""Who waits for an assessment, who is booked, and what an outcome does: the closed lists.

The queue is ordered by the urgency a clinician set, then by how long a person has waited, then by
reference so that a rerun gives the same order; by nothing else about the person (DOMAIN.md section
3, limit 6). `sql/queue/` applies these lists.
"""

QUEUED_SETTINGS = ("home", "welfare_institution", "other_institution", "not_reachable")
"""Care settings of people who wait. Who is in hospital is under care already."""

BOOKED_SETTINGS = ("home", "welfare_institution", "other_institution")
"""Care settings of people who can be told of a session."""

ENDING_OUTCOMES = ("confirmed", "not_confirmed", "declined")
"""Outcomes that end the wait at once. The latest outcome that is no `no_show` decides; after a
`no_show` or `reassess` the person waits on from the day they first consented."""

ASSESSED_OUTCOMES = ("confirmed", "not_confirmed", "reassess")
"""Outcomes of an assessment that took place."""

STILL_QUEUED = ("waiting", "booked")
"""States of people whose wait has not ended; each has a position."""

STATES = (*STILL_QUEUED, *ENDING_OUTCOMES, "withdrawn")
"""Every person of the queue is in exactly one of these."""
