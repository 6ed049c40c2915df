"""Two keys for an ad-hoc sweep: the office asks, the health side approves exactly that.

DOMAIN.md section 3, limit 4. Asking needs the ledger only. Deciding needs the register's key: the
hash of what was approved is kept in the register, and everything that works on an ad-hoc sweep
looks it up there. What the ledger and the file beside the plan say of it is for people to read and
for calendars; changing them approves nothing.

Register and ledger cannot be one transaction, so the register comes first: after a crash in between
the same decision, made once more, writes the ledger's part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from tasks.audit import Act, keep_entry
from tasks.home import Home
from tasks.outbox import DECISION, REQUEST, Gate, write_letter
from tasks.plan import Occurrence, Plan, write_approved
from tasks.rules.contract import CHOICES, read_choice
from tasks.rules.errors import CheckFailed, WrongCommand
from tasks.rules.requests import (
    FIRST_ROUND,
    IN_PLAN,
    Request,
    State,
    check_request,
    hash_begins,
    id_of,
    same_person,
    state_of,
)
from tasks.rules.wording import say
from tasks.store import Store

Approvals = frozenset[tuple[str, int, str]]
"""What the register holds approved: campaign, round and hash of each ad-hoc sweep."""

_ASKED, _STILL_WAITS = 1, 2
_DECIDED, _LAPSED = 1, 2
"""The numbers of messages of one kind about one request, each of which is sent once; what was
approved may lapse later."""


@dataclass(frozen=True)
class Asked:
    """A request as the ledger keeps it, with what became of it."""

    request: Request
    round: int
    hash: str
    """As it was when it was asked for; another than the request's own where the row was changed."""
    asked_account: str
    asked_at: datetime
    """Wall time of the plan's time zone, as `decided_at`."""
    decision: str | None
    """`approved`, `declined`, `lapsed`, or None."""
    decided_by: str | None
    decision_reason: str | None
    decided_at: datetime | None

    @property
    def id(self) -> str:
        """What it is called."""
        return id_of(self.hash)

    @property
    def is_whole(self) -> bool:
        """Whether it still says what was asked for."""
        return self.request.hash == self.hash

    def state(self, today: date) -> State:
        """Return how it stands on the day `today`."""
        return state_of(self.decision, self.request.due, today)

    def as_dict(self, state: State) -> dict[str, Any]:
        """Return it, in this state, as plain data for `--json`."""
        said = vars(self.request)
        days = {name: said[name].isoformat() for name in ("opens", "due")}
        return {
            "id": self.id,
            **said,
            **days,
            "villages": list(self.request.villages),
            "round": self.round,
            "state": state,
            "changed": not self.is_whole,
            "asked_at": self.asked_at.isoformat(),
            "decided_by": self.decided_by,
            "decision_reason": self.decision_reason,
            "decided_at": self.decided_at.isoformat() if self.decided_at else None,
        }


def ask_for_sweep(
    store: Store,
    plan: Plan,
    *,
    purpose: str,
    villages: Sequence[str],
    opens: date,
    due: date,
    reason: str,
    asked_by: str,
    account: str,
    now: datetime,
    gate: Gate,
) -> Asked:
    """Record a request for an ad-hoc sweep and draft the message to the health side about it.

    `store` is an open ledger outside a transaction. `villages` are codes, `opens` and `due` the
    first and the last day; `account` is the machine's that asks, '' where it is not known. `now` is
    wall time of the plan's time zone, `gate` is reports.gate.notice_gate. Raises WrongCommand for a
    purpose that is none, a village that is not of the plan or closed by then, a window that is
    over or too long, without a name or a reason of the closed list, and for what was asked already.
    """
    if not asked_by.strip() or not asked_by.isprintable() or asked_by.strip() == IN_PLAN:
        raise WrongCommand("request.no_name")
    request = Request(
        campaign=plan.slug,
        purpose=purpose,
        villages=tuple(sorted(set(villages))),
        opens=opens,
        due=due,
        reason=_choice("request_reason", reason, "request.reason"),
        asked_by=asked_by.strip(),
    )
    check_request(request, _open_villages(plan, due), now.date())
    _refuse_twice(requests_of(store, plan.slug), request, now.date())
    with store.transaction():
        asked = _register(store, request, account, now)
        _tell_asked(store, plan, asked, _ASKED, now, gate)
    return asked


def find_request(store: Store, text: str) -> Asked:
    """Return the request that is called so. Raises WrongCommand where none is; needs no key."""
    found = _read(store, None, hash_begins(text))
    if not found:
        raise WrongCommand("request.unknown", id=text)
    return found[0]


def known_request(store: Store, request: Request) -> Asked | None:
    """Return what the ledger keeps of exactly this request, or None; needs no key."""
    found = _read(store, request.campaign, request.hash)
    return found[0] if found else None


def requests_of(store: Store, campaign: str | None) -> list[Asked]:
    """Return the requests of a campaign, or of all, the earliest first; needs no key."""
    return _read(store, campaign, "")


def decide_request(
    store: Store,
    home: Home,
    plan: Plan,
    asked: Asked,
    *,
    approve: bool,
    act: Act,
    account: str,
    reason: str | None,
    gate: Gate,
) -> Asked:
    """Approve or decline exactly this request; tell the office and the health side.

    `store` is an open register with its ledger, outside a transaction; `act` says who decides and
    when, `account` is the machine's. `reason` is one of the closed list, needed to decline. An
    approval becomes an occurrence of the plan: the file beside it is written anew. The same
    decision once more changes nothing.

    Raises WrongCommand for a request that was decided otherwise or has lapsed, where the asker and
    the approver are the same, and without a reason to decline; CheckFailed where the ledger or the
    plan does not say any more what was asked for.
    """
    request, now = asked.request, act.at
    if not asked.is_whole:
        raise CheckFailed("request.changed", id=asked.id)
    if not is_asked_for(plan, request):
        raise CheckFailed("request.plan_changed", id=asked.id)
    why = None if approve else _choice("decline_reason", reason or "", "request.decline_reason")
    if same_person(act.who, account, request.asked_by, asked.asked_account):
        raise WrongCommand("request.same_person", id=asked.id)
    kept = {row["request_hash"]: row for row in store.records("request/kept")}.get(asked.hash)
    decision = "approved" if approve else "declined"
    if kept is None:
        _refuse_decided(asked, now.date())
        if approve:
            check_request(request, _open_villages(plan, request.due), now.date())
        _keep_decision(store, asked, act, account, approve=approve)
    elif kept["approved"] != approve or asked.decision not in (None, decision):
        raise WrongCommand("request.decided", id=asked.id)
    with store.transaction():
        _note(store, asked, decision, act.who, why, now)
        decided = _again(store, asked)
        _tell_decided(store, plan, decided, decision, now, gate)
    write_approved_file(store, home, plan.slug)
    return decided


def settle_requests(store: Store, home: Home, plan: Plan, now: datetime, gate: Gate) -> list[Asked]:
    """Bring a campaign's requests up to `now`; return those that have lapsed just now.

    What the plan file asks for is registered as asked. Who has to decide is told, once, and once
    more from the eve of its window on. A request that nobody decided lapses with its window, and
    the office and the health side are told, once. The file beside the plan is written anew where it
    is not what the ledger says. `store` is an open ledger outside a transaction; no key is needed.
    """
    lapsed = []
    with store.transaction():
        register_plan_requests(store, plan, now)
        for asked in requests_of(store, plan.slug):
            match state_in(plan, asked, now.date()):
                case "waiting":
                    _tell_asked(store, plan, asked, _ASKED, now, gate)
                    eve = asked.request.opens - timedelta(days=1)
                    if asked.asked_at.date() < now.date() >= eve:
                        _tell_asked(store, plan, asked, _STILL_WAITS, now, gate)
                case "lapsed" if asked.decision != "lapsed":
                    if asked.decision is None:
                        _note(store, asked, "lapsed", "", None, now)
                        lapsed.append(_again(store, asked))
                    _tell_decided(store, plan, asked, "lapsed", now, gate)
                case _:
                    pass
    write_approved_file(store, home, plan.slug)
    return lapsed


def state_in(plan: Plan, asked: Asked, today: date) -> State:
    """Return how a request of the plan's campaign stands on the day `today`.

    What the plan file asked for and does not any more has lapsed, approved or not: its scope was
    changed.
    """
    state = asked.state(today)
    if state in ("waiting", "approved") and not is_asked_for(plan, asked.request):
        return "lapsed"
    return state


def is_asked_for(plan: Plan, request: Request) -> bool:
    """Return whether the plan file still asks for what it once asked for; others always are."""
    in_plan = [entry.request(plan.slug) for entry in plan.ad_hoc]
    return not request.stands_in_plan or request in in_plan


def register_plan_requests(store: Store, plan: Plan, now: datetime) -> None:
    """Record what the plan file asks for and the ledger does not know yet; nobody is told here.

    What was over before it was met is left out: there is nothing to decide.
    """
    for entry in plan.ad_hoc:
        request = entry.request(plan.slug)
        if request.due >= now.date() and known_request(store, request) is None:
            _register(store, request, "", now)


def write_approved_file(store: Store, home: Home, campaign: str) -> None:
    """Write the approved sweeps of a campaign beside its plan, as the ledger says; needs no key."""
    approved = {
        asked.round: asked.request
        for asked in requests_of(store, campaign)
        if asked.decision == "approved" and asked.is_whole
    }
    write_approved(home.plan(campaign), approved)


def read_approvals(store: Store) -> Approvals:
    """Return what the health side approved; `store` is an open register."""
    return frozenset(
        (row["campaign"], row["round"], row["request_hash"])
        for row in store.records("request/kept")
        if row["approved"]
    )


def is_approved(approvals: Approvals, plan: Plan, occurrence: Occurrence) -> bool:
    """Return whether exactly this ad-hoc sweep was approved: its round, villages, days and purpose.

    The hash is made of what the occurrence says now, wherever that came from.
    """
    if occurrence.request is None:
        return False
    request = replace(
        occurrence.request,
        campaign=plan.slug,
        villages=tuple(sorted(occurrence.villages)),
        opens=occurrence.opens,
        due=occurrence.due,
    )
    return (plan.slug, occurrence.round, request.hash) in approvals


def keep_approved(store: Store, plan: Plan) -> Plan:
    """Return the plan without the ad-hoc sweeps that the register does not hold approved.

    `store` is an open register.
    """
    approvals = read_approvals(store)
    calendar = tuple(
        each for each in plan.calendar if not each.ad_hoc or is_approved(approvals, plan, each)
    )
    return plan.model_copy(update={"calendar": calendar})


def require_approved(store: Store, plan: Plan, occurrence: Occurrence, day: date) -> None:
    """Raise unless the occurrence may be worked on for `day`; one that is not ad hoc always may.

    `store` is an open register. Raises CheckFailed where the register holds no approval of exactly
    this, WrongCommand where the day lies outside the window: an approval lapses with it.
    """
    if not occurrence.ad_hoc:
        return
    if not is_approved(read_approvals(store), plan, occurrence):
        raise CheckFailed("request.not_approved", campaign=plan.slug, round=occurrence.round)
    if not occurrence.opens <= day <= occurrence.due:
        raise WrongCommand("request.outside_window", opens=occurrence.opens, due=occurrence.due)


def require_run(store: Store, plan: Plan, occurrence: Occurrence, as_of: date, today: date) -> None:
    """Raise unless a run as of `as_of` may be made on the day `today`; as `require_approved`.

    After the window only the run as of its last day is left: it reckons what came in time.
    """
    require_approved(store, plan, occurrence, as_of)
    if occurrence.ad_hoc and today > occurrence.due and as_of != occurrence.due:
        raise WrongCommand("request.outside_window", opens=occurrence.opens, due=occurrence.due)


def words_of(request: Request, language: str | None = None) -> dict[str, str]:
    """Return what people read of a request: purpose, reason, days; never who asked."""
    reasons = CHOICES["request_reason"]
    key = f"request.reason.{request.reason}" if request.reason in reasons else "request.in_plan"
    return {
        "purpose": say(f"plan.purpose.{request.purpose}", language),
        "reason": say(key, language),
        "opens": request.opens.isoformat(),
        "due": request.due.isoformat(),
    }


def _open_villages(plan: Plan, day: date) -> frozenset[str]:
    return frozenset(village.code for village in plan.villages if village.open_on(day))


def _choice(name: str, text: str, key: str) -> str:
    """Return the word of the closed list that `text` is a spelling of. Raises WrongCommand."""
    found = read_choice(name, text)
    if found is None:
        raise WrongCommand(key, known=tuple(CHOICES[name]))
    return found


def _refuse_twice(known: Sequence[Asked], request: Request, today: date) -> None:
    for asked in known:
        other = asked.request
        if asked.hash == request.hash and asked.state(today) in ("declined", "lapsed"):
            raise WrongCommand("request.same_again", id=asked.id)
        scope = (other.purpose, other.villages, other.opens, other.due)
        same = scope == (request.purpose, request.villages, request.opens, request.due)
        # what is called alike could be approved in the other's place
        if asked.id == request.id or (same and asked.state(today) in ("waiting", "approved")):
            raise WrongCommand("request.twice", id=asked.id)


def _refuse_decided(asked: Asked, today: date) -> None:
    state = asked.state(today)
    if state in ("lapsed", "over"):
        raise WrongCommand("request.lapsed", id=asked.id, due=asked.request.due)
    if state != "waiting":
        raise WrongCommand("request.decided", id=asked.id)


def _register(store: Store, request: Request, account: str, now: datetime) -> Asked:
    store.run(
        "request/ask",
        **vars(request) | {"villages": list(request.villages)},
        request_hash=request.hash,
        first_round=FIRST_ROUND,
        asked_account=account,
        asked_at=now,
    )
    (asked,) = _read(store, request.campaign, request.hash)
    return asked


def _keep_decision(store: Store, asked: Asked, act: Act, account: str, *, approve: bool) -> None:
    """Keep the decision in the register, with an entry of the trail for the asking too."""
    asking = " ".join((asked.id, f"{asked.asked_at:%Y-%m-%d %H:%M}", asked.asked_account)).strip()
    with store.transaction():
        keep_entry(store, replace(act, who=asked.request.asked_by, what="request", why=asking))
        store.run(
            "request/keep",
            request_hash=asked.hash,
            campaign=asked.request.campaign,
            round=asked.round,
            approved=approve,
            decided_by=act.who,
            account=account,
            decided_at=act.at,
        )


def _note(
    store: Store, asked: Asked, decision: str, by: str, reason: str | None, now: datetime
) -> None:
    store.run(
        "request/decide",
        request_hash=asked.hash,
        decision=decision,
        decided_by=by,
        reason=reason,
        decided_at=now,
    )


def _again(store: Store, asked: Asked) -> Asked:
    (found,) = _read(store, asked.request.campaign, asked.hash)
    return found


def _read(store: Store, campaign: str | None, prefix: str) -> list[Asked]:
    said = ("campaign", "purpose", "opens", "due", "reason", "asked_by")
    became = ("decision", "decided_by", "decision_reason", "decided_at")
    return [
        Asked(
            request=Request(**{name: row[name] for name in said}, villages=tuple(row["villages"])),
            hash=row["request_hash"],
            **{name: row[name] for name in ("round", "asked_account", "asked_at", *became)},
        )
        for row in store.records("request/asked", campaign=campaign, prefix=prefix)
    ]


def _tell_asked(
    store: Store, plan: Plan, asked: Asked, number: int, now: datetime, gate: Gate
) -> None:
    """Draft the message that a request waits, or still does, to each address of the health side."""
    key = "notice.request.waits" if number == _ASKED else "notice.request.still_waits"
    text = [
        say(key, plan.language, campaign=_name(plan)),
        *_scope_lines(plan, asked),
        say("notice.request.approve", plan.language, id=asked.id),
        say("notice.request.decline", plan.language, id=asked.id),
        say("notice.request.lapses", plan.language, due=asked.request.due.isoformat()),
    ]
    _write(store, plan, asked, REQUEST, number, "notice.request.subject", text, now, gate)


def _tell_decided(
    store: Store, plan: Plan, asked: Asked, decision: str, now: datetime, gate: Gate
) -> None:
    """Draft the message of what became of a request, to the office and the health side, once."""
    text = [
        say(f"notice.decision.{decision}", plan.language, campaign=_name(plan)),
        *_scope_lines(plan, asked),
    ]
    if decision == "declined":
        reason = say(f"request.declined.{asked.decision_reason}", plan.language)
        text.append(say("notice.decision.reason", plan.language, reason=reason))
    number = _LAPSED if decision == "lapsed" else _DECIDED
    _write(store, plan, asked, DECISION, number, "notice.decision.subject", text, now, gate)


def _scope_lines(plan: Plan, asked: Asked) -> list[str]:
    request = asked.request
    names = {village.code: village.name for village in plan.villages}
    villages = say("list.comma", plan.language).join(
        names.get(code, code) for code in request.villages
    )
    words = words_of(request, plan.language)
    return [
        say("notice.request.purpose", plan.language, purpose=words["purpose"]),
        say("notice.request.villages", plan.language, villages=villages),
        say("notice.request.window", plan.language, opens=words["opens"], due=words["due"]),
    ]


def _write(
    store: Store,
    plan: Plan,
    asked: Asked,
    kind: str,
    number: int,
    subject: str,
    text: Sequence[str],
    now: datetime,
    gate: Gate,
) -> None:
    listed = [("health", each) for each in plan.recipients.health]
    if kind == DECISION:
        listed += [("office", each) for each in plan.recipients.office]
    for audience, recipient in listed:
        write_letter(
            store,
            plan,
            kind=kind,
            phase="sweep",
            round=asked.round,
            number=number,
            audience=audience,
            recipient=recipient,
            subject=say(subject, plan.language, id=asked.id),
            text="\n".join(text),
            now=now,
            gate=gate,
        )


def _name(plan: Plan) -> str:
    return plan.name_en if plan.language == "en" else plan.name
