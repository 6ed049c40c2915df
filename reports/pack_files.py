"""The released pack of a quarter as files: page, PDF, Word, and Word on the office's letterhead."""

from pathlib import Path

from reports.summary import phase_title
from reports.word_document import MOST_MEGABYTES, TEMPLATE, word_pack
from reports.write import make_report, report_path, write_report
from tasks.home import Home, write_whole
from tasks.plan import PACK, Occurrence, Plan
from tasks.rules.errors import WrongCommand
from tasks.rules.file_names import name_to_show
from tasks.rules.wording import current_language
from tasks.store import Store

FORMS = ("html", "pdf", "docx")


def write_pack(
    store: Store, home: Home, plan: Plan, quarter: str, template: Path | None, out: Path | None
) -> list[Path]:
    """Write the newest released pack of `quarter` where its files are not there; return the paths.

    With a `template` also a Word document in it, last of the paths, to `out` or beside the others.
    `store` is an open ledger: no key is needed. Raises WrongCommand for a quarter that the plan has
    no pack of, or of which none was released, and for a template that cannot be used;
    DisclosureRisk where the gate stops a part.
    """
    occurrence = _of_quarter(plan, quarter)
    revisions = {
        row["round"]: row["revision"]
        for row in store.records("report/status", campaign=plan.slug)
        if row["phase"] == PACK
    }
    if occurrence.round not in revisions:
        named = phase_title(PACK, occurrence.round, quarter, current_language())
        raise WrongCommand("report.none", campaign=plan.slug, phase=named)
    of_pack = (PACK, occurrence.round, revisions[occurrence.round])
    write_report(store, home, plan, *of_pack, plan.language)
    paths = [report_path(home, plan.slug, *of_pack, kind) for kind in FORMS]
    if template is None:
        return paths
    parts = make_report(store, home, plan, *of_pack, plan.language)
    filled = word_pack(parts["document"], _read(template), name_to_show(template.name, None))
    beside = paths[-1].with_name(f"{paths[-1].stem}-letterhead.docx")
    target = out or beside
    write_whole(target, filled)
    return [*paths, target]


def write_letterhead(out: Path) -> Path:
    """Write the template that is used where the office gives none, to put a letterhead in."""
    write_whole(out, TEMPLATE.read_bytes())
    return out


def _of_quarter(plan: Plan, quarter: str) -> Occurrence:
    packs = {each.period: each for each in plan.calendar if each.phase == PACK}
    if quarter not in packs:
        raise WrongCommand("pack.quarter", known=tuple(map(str, packs)))
    return packs[quarter]


def _read(template: Path) -> bytes:
    shown = name_to_show(template.name, None)
    try:
        if template.stat().st_size > MOST_MEGABYTES * 2**20:
            raise WrongCommand("pack.template_large", file=shown, most=MOST_MEGABYTES)
        return template.read_bytes()
    except OSError:
        raise WrongCommand("pack.template_read", file=shown) from None
