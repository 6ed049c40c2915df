"""How good the input of a phase was: how many rows were sent back, and for which cell."""

from tasks.figures import TOWNSHIP, RawFigure
from tasks.plan import Occurrence, Plan
from tasks.rules.contract import SHEETS, SHEETS_OF_PHASE
from tasks.rules.input_quality import returned_name, returned_unit
from tasks.store import Store


def returned_figures(store: Store, plan: Plan, occurrence: Occurrence) -> list[RawFigure]:
    """Return the township's counts of rows sent back, in the order of the sheets and columns.

    Only where some were: that there is no such figure says zero. Rows about people are counts of
    people, exact here. A phase that takes no files has none.
    """
    found = []
    for name in SHEETS_OF_PHASE.get(occurrence.phase, ()):
        sheet = SHEETS[name]
        counts: dict[str, int] = dict(
            store.rows(
                "quality/returned",
                sheet=name,
                campaign=plan.slug,
                phase=occurrence.phase,
                round=occurrence.round,
                rules=[rule.name for rule in sheet.rules],
                columns=[rule.column for rule in sheet.rules],
            )
        )
        found += [
            RawFigure(
                returned_name(sheet, column),
                returned_unit(sheet),
                TOWNSHIP,
                counts[column.name],
            )
            for column in sheet.columns
            if column.name in counts
        ]
    return found
