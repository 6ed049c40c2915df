"""Released revisions of a fictional township, put into a ledger as publishing would leave them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

from tasks.home import Home, private_folder
from tasks.plan import HealthCentre, Occurrence, Plan, Recipients, Village
from tasks.store import SQL, Store, attach, memory

NAMES = (
    *("青石村", "白杨村", "柳湾村", "东河村", "西岭村"),
    *("桃园村", "枫林村", "石桥村", "南塘村", "北坡村"),
    *("新安社区", "和平社区", "云溪村", "长坪村", "梅子垭村"),
)
CODES = tuple(f"9901010010{number:02d}" for number in range(1, 16))
NOW = datetime(2025, 11, 1, 9, 0)

CALENDAR = tuple(
    Occurrence(
        phase,
        round,
        period,
        date.fromisoformat(opens),
        date.fromisoformat(due),
        words=due,
        rule="previous-workday",
        provisional=due > "2025-12-31",
        ad_hoc=False,
    )
    for phase, round, period, opens, due in (
        ("readiness", 0, None, "2025-09-20", "2025-10-31"),
        ("sweep", 1, None, "2025-10-08", "2025-10-31"),
        ("list_compilation", 0, None, "2025-11-01", "2025-11-10"),
        ("aggregation", 0, None, "2025-11-11", "2025-11-20"),
        ("supervision", 1, "2025-11", "2025-12-01", "2025-12-05"),
        ("diagnosis_queue", 0, None, "2025-10-20", "2025-12-31"),
        ("follow_up", 0, None, "2025-12-01", "2025-12-31"),
        ("supervision", 2, "2025-12", "2026-01-01", "2026-01-05"),
        ("quarterly_pack", 1, "2025-Q4", "2026-01-06", "2026-01-09"),
    )
)

Row = tuple[str, str, str, float | None, str]
"""A figure: name, unit, village ('' for the township), value, state."""


def make_ledger(root: Path) -> Home:
    """Make a home with an empty ledger; without a register it takes no time."""
    home = Home(private_folder(root))
    with memory() as connection:
        attach(connection, home.ledger, "ledger", None)
        for path in sorted((SQL / "schema" / "ledger").glob("*.sql")):
            Store(connection).run(f"schema/ledger/{path.stem}")
    return home


def township(language: str = "zh-CN") -> Plan:
    """A plan of 15 villages that compares itself with one earlier campaign."""
    return Plan.model_validate(
        {
            "slug": "autumn-2025",
            "name": "2025年秋季社区精神卫生排查走访行动",
            "name_en": "Autumn 2025 community mental-health outreach",
            "purpose": "seasonal_outreach",
            "issued": date(2025, 2, 20),
            "language": language,
            "rest_day_rule": "previous-workday",
            "earlier": ("spring-2025",),
            "health_centre": HealthCentre(code="990101001000", name="云溪镇卫生院"),
            "villages": tuple(
                Village(code=code, name=name, households=600)
                for code, name in zip(CODES, NAMES, strict=True)
            ),
            "recipients": Recipients(
                health=("centre@example.test",),
                office=("office@example.test", "leader@example.test"),
            ),
            "calendar": CALENDAR,
        }
    )


def number(name: str, unit: str, value: float, village: str = "") -> Row:
    """A figure with a number; 0 is the state zero."""
    return (name, unit, village, value, "released" if value else "zero")


def withheld(name: str, village: str = "", unit: str = "people") -> Row:
    """A figure that disclosure control withheld."""
    return (name, unit, village, None, "withheld")


def not_reported(name: str, unit: str, village: str = "") -> Row:
    """A figure for which nothing came in."""
    return (name, unit, village, None, "not_reported")


def release(
    store: Store,
    phase: str,
    figures: Iterable[Row],
    *,
    round: int = 0,
    revision: int = 1,
    as_of: date = date(2025, 10, 31),
    due: date = date(2025, 10, 31),
    period: str | None = None,
    states: Sequence[str] = (),
    nil: Sequence[str] = (),
    status: str = "due",
    provisional: bool = False,
    campaign: str = "autumn-2025",
) -> None:
    """Write one revision with its figures, the villages' `states` in order, and two suites."""
    key = (campaign, phase, round, revision)
    connection = store.connection
    connection.execute(
        "INSERT INTO ledger.out_revision VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        [*key, as_of, due, provisional, period, status, f"content-{revision}", NOW],
    )
    figures = list(figures)
    if not figures:
        return
    connection.executemany(
        "INSERT INTO ledger.out_figure VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        [
            [*key, "office", position, name, unit, village, value, state]
            for position, (name, unit, village, value, state) in enumerate(figures)
        ],
    )
    if states:
        connection.executemany(
            "INSERT INTO ledger.agg_reporting VALUES (?,?,?,?,?,?,?,?,?)",
            [
                [*key, code, state, code in nil, int(state != "missing"), None]
                for code, state in zip(CODES, states, strict=False)
            ],
        )
    connection.executemany(
        "INSERT INTO ledger.out_check VALUES (?,?,?,?,?,?,?)",
        [[*key, suite, 21, 21] for suite in ("stg_coverage", "stg_referral")],
    )


SWEEP_STATES = (
    *("on_time", "on_time", "late", "on_time", "on_time"),
    *("missing", "on_time", "on_time", "returned", "on_time"),
    *("on_time", "on_time", "extended", "on_time", "on_time"),
)


def sweep_figures(states: Sequence[str] = SWEEP_STATES, referrals: float = 45) -> list[Row]:
    """A sweep's figures: village counts of people are zero, withheld or not reported."""
    counted = {state: states.count(state) for state in states}
    came_in = [s in {"on_time", "late", "returned"} for s in states]
    received = sum(came_in)
    figures = [
        number("villages_expected", "files", 15),
        number("villages_received", "files", received),
        *(
            number(f"reporting_{state}", "files", counted.get(state, 0))
            for state in ("on_time", "late", "returned", "missing", "extended")
        ),
        number("nil_returns", "files", 1),
        number("households", "households", 600 * received),
        number("households_visited", "households", 561 * received),
        number("households_declined", "households", 9 * received),
        number("coverage", "percent", 93.5),
        number("referrals", "people", referrals),
        withheld("no_consent"),
    ]
    for place, code in enumerate(CODES):
        if not came_in[place]:
            figures += [
                not_reported(name, "households", code)
                for name in ("households", "households_visited", "households_declined")
            ]
            figures += [
                not_reported("coverage", "percent", code),
                not_reported("referrals", "people", code),
            ]
            continue
        visited = 612 if place == 7 else 600 - 13 * place
        figures += [
            number("households", "households", 600, code),
            number("households_visited", "households", visited, code),
            number("households_declined", "households", place, code),
            number("coverage", "percent", visited / 6, code),
            number("referrals", "people", 0, code)
            if place % 4 == 1
            else withheld("referrals", code),
        ]
    return figures


def release_sweep(store: Store, revision: int = 1) -> None:
    """The first round of the sweep; in revision 2 the missing village has come in late."""
    states = list(SWEEP_STATES)
    if revision == 2:
        states[5] = "late"
    release(
        store,
        "sweep",
        sweep_figures(states, referrals=45 if revision == 1 else 50),
        round=1,
        revision=revision,
        as_of=date(2025, 10, 31) if revision == 1 else date(2025, 11, 3),
        states=states,
        nil=(CODES[1],),
    )


def release_list(store: Store) -> None:
    """The compiled list."""
    release(
        store,
        "list_compilation",
        [
            number("people_listed", "people", 45),
            number("people_known", "people", 10),
            number("people_new", "people", 35),
            number("people_home", "people", 30),
            withheld("people_hospital"),
            number("people_welfare_institution", "people", 0),
            withheld("people_other_institution"),
            withheld("people_not_reachable"),
            *(
                number("people_listed", "people", 0, code)
                if place % 5 == 1
                else withheld("people_listed", code)
                for place, code in enumerate(CODES)
            ),
        ],
        as_of=date(2025, 11, 10),
        due=date(2025, 11, 10),
    )


def release_aggregation(store: Store) -> None:
    """The township's figures beside those of the spring."""
    release(
        store,
        "aggregation",
        [
            number("villages_expected", "files", 15),
            number("villages_received", "files", 14),
            number("reporting_on_time", "files", 12),
            number("households", "households", 8400),
            number("households_visited", "households", 7854),
            number("coverage", "percent", 93.5),
            number("people_listed", "people", 45),
            number("earlier1_coverage", "percent", 88.2),
            withheld("earlier1_people_listed"),
            number("earlier1_reporting_on_time", "files", 9),
        ],
        as_of=date(2025, 11, 20),
        due=date(2025, 11, 20),
    )
    store.connection.execute(
        "UPDATE ledger.out_revision SET created_at = '2025-11-21 00:10' WHERE phase = 'aggregation'"
    )
    store.connection.executemany(
        "INSERT INTO ledger.agg_run VALUES ('autumn-2025', ?, ?, ?, 1, ?, ?, '', '')",
        [
            ["readiness", 0, date(2025, 10, 31), datetime(2025, 11, 1, 0, 10), 1],
            ["sweep", 1, date(2025, 10, 31), datetime(2025, 11, 1, 0, 10), 2],
            ["list_compilation", 0, date(2025, 11, 10), datetime(2025, 11, 11, 0, 10), 3],
            # noted after the page was made: not in it
            ["aggregation", 0, date(2025, 11, 20), datetime(2025, 11, 21, 0, 11), 4],
        ],
    )


def release_queue(store: Store) -> None:
    """The diagnosis queue half-way; no clinic session is left."""
    release(
        store,
        "diagnosis_queue",
        [
            number("people_waiting", "people", 15),
            withheld("people_booked"),
            number("people_offered", "people", 25),
            number("people_attended", "people", 20),
            number("people_assessed", "people", 20),
            number("people_confirmed", "people", 10),
            withheld("people_not_confirmed"),
            number("people_declined", "people", 0),
            withheld("waited_to_14"),
            number("waited_15_to_30", "people", 10),
            withheld("waited_31_to_60"),
            number("waited_61_to_90", "people", 0),
            number("waited_over_90", "people", 0),
            number("heed_rate", "percent", 80),
            number("confirmed_share", "percent", 50),
            number("waiting_median", "days", 23.5),
            number("waiting_p90", "days", 41),
            number("sessions_planned", "sessions", 3),
            number("sessions_held", "sessions", 3),
        ],
        as_of=date(2025, 11, 28),
        due=date(2025, 12, 31),
        status="interim",
    )


def release_months(store: Store) -> None:
    """What the campaign before it released of four earlier months; of one month twice."""
    of_spring = "SELECT 1 FROM ledger.out_revision WHERE campaign = 'spring-2025' LIMIT 1"
    if store.connection.execute(of_spring).fetchall():
        return
    for round, (due, done) in enumerate(((58, 47), (61, 50), (60, 57), (64, 58)), start=3):
        day = date(2025, round + 5, 5)
        for revision in (1, 2) if round == 4 else (1,):
            release(
                store,
                "supervision",
                [
                    number("visits_due", "visits", due),
                    number("visits_done", "visits", done if revision == 2 or round != 4 else 40),
                ],
                round=round,
                revision=revision,
                period=f"2025-{round + 4:02}",
                as_of=day,
                due=day,
                campaign="spring-2025",
            )


def release_supervision(store: Store) -> None:
    """November's supervision: one village silent, two with shortfalls, three rectifications."""
    release_months(store)
    states = ["on_time"] * 15
    states[5], states[8] = "missing", "late"
    figures = [
        number("status_updated", "files", 13),
        number("care_group_met", "files", 14),
        number("reporting_on_time", "files", 13),
        number("reporting_late", "files", 1),
        number("reporting_missing", "files", 1),
        number("reporting_returned", "files", 0),
        number("visits_due", "visits", 63),
        number("visits_done", "visits", 55),
        number("visits_late", "visits", 4),
        number("visits_overdue", "visits", 4),
        number("guardian_contacts", "visits", 48),
        number("rehabilitation_sessions", "visits", 17),
        number("subsidy_applied", "people", 20),
        number("subsidy_paid", "people", 15),
        number("care_roles_owed", "files", 60),
        number("care_roles_filled", "files", 54),
        number("rectifications_open", "files", 3),
        number("rectifications_opened", "files", 2),
        number("rectifications_closed", "files", 1),
    ]
    for place, code in enumerate(CODES):
        silent = states[place] == "missing"
        figures += [
            number("visits_due", "visits", 4, code),
            number("visits_done", "visits", 2 if place in {5, 9} else 4, code),
            number("visits_late", "visits", 0, code),
            number("visits_overdue", "visits", 2 if place in {5, 9} else 0, code),
        ]
        figures += [
            number("care_roles_owed", "files", 4, code),
            not_reported("care_roles_filled", "files", code)
            if place == 9
            else number("care_roles_filled", "files", 2 if silent else 4, code),
        ]
        for name, unit in (
            ("status_updated", "files"),
            ("care_group_met", "files"),
            ("guardian_contacts", "visits"),
            ("rehabilitation_sessions", "visits"),
            ("subsidy_applied", "people"),
            ("subsidy_paid", "people"),
        ):
            if silent:
                figures.append(not_reported(name, unit, code))
            elif unit == "people":
                figures.append(withheld(name, code) if place % 2 else number(name, unit, 0, code))
            elif unit == "files":
                kept = place != 2 or name == "care_group_met"
                figures.append(number(name, unit, int(kept), code))
            else:
                figures.append(number(name, unit, 3, code))
    release(
        store,
        "supervision",
        figures,
        round=1,
        period="2025-11",
        as_of=date(2025, 12, 5),
        due=date(2025, 12, 5),
        states=states,
    )
    store.connection.executemany(
        "INSERT INTO ledger.agg_action VALUES ('autumn-2025', 1, 1, ?, ?, ?)",
        [
            [CODES[5], 1, "report_missing"],
            [CODES[5], 2, "visits_overdue"],
            [CODES[5], 3, "status_not_updated"],
            [CODES[8], 1, "report_late"],
            [CODES[9], 1, "visits_overdue"],
        ],
    )
    opened, due = date(2025, 12, 5), date(2025, 12, 19)
    before, past = date(2025, 11, 5), date(2025, 11, 19)
    store.connection.executemany(
        "INSERT INTO ledger.agg_rectification VALUES ('autumn-2025',?,?,?,?,?,?,?,?)",
        [
            [CODES[5], "report_missing", 1, opened, due, False, None, None],
            [CODES[9], "visits_overdue", 1, opened, due, True, None, None],
            [CODES[2], "care_group_not_met", 0, before, past, False, None, None],
            [CODES[3], "status_not_updated", 0, before, past, False, 1, opened],
        ],
    )


def release_readiness(store: Store) -> None:
    """The checklists before the work: one village silent, two with lines missing."""
    states = ["on_time"] * 15
    states[5], states[8] = "missing", "late"
    lines = ("training_held", "plan_updated", "drill_held", "care_group_complete")
    lacking = {(2, "drill_held"), (8, "training_held"), (8, "drill_held")}
    figures = [
        number("villages_expected", "files", 15),
        number("villages_received", "files", 14),
        number("readiness_complete", "files", 12),
        number("ready_training_held", "files", 13),
        number("ready_plan_updated", "files", 14),
        number("ready_drill_held", "files", 12),
        number("ready_care_group_complete", "files", 14),
        number("ready_materials_delivered", "files", 14),
        number("rectifications_open", "files", 4),
    ]
    for place, code in enumerate(CODES):
        if states[place] == "missing":
            figures += [not_reported(f"ready_{line}", "files", code) for line in lines]
            figures += [
                not_reported("ready_materials_delivered", "files", code),
                not_reported("readiness_complete", "files", code),
            ]
            continue
        figures += [
            number(f"ready_{line}", "files", int((place, line) not in lacking), code)
            for line in lines
        ]
        figures += [
            number("ready_materials_delivered", "files", 1, code),
            number("readiness_complete", "files", int(place not in {2, 8}), code),
        ]
    release(store, "readiness", figures, states=states)
    store.connection.executemany(
        "INSERT INTO ledger.agg_rectification VALUES ('autumn-2025',?,?,0,?,?,false,NULL,NULL)",
        [
            [CODES[place], shortfall, date(2025, 10, 31), date(2025, 11, 14)]
            for place, shortfall in (
                *((5, "readiness_missing"), (2, "no_drill")),
                *((8, "not_trained"), (8, "no_drill")),
            )
        ],
    )


def release_follow_up(store: Store) -> None:
    """A concentrated follow-up: two villages with visits overdue."""
    release_months(store)
    figures = [
        number("visits_due", "visits", 63),
        number("visits_done", "visits", 55),
        number("visits_late", "visits", 4),
        number("visits_entered_late", "visits", 3),
        number("visits_overdue", "visits", 4),
        number("visits_ahead", "visits", 21),
        number("people_to_visit", "people", 60),
        number("people_visited", "people", 50),
        withheld("people_visit_declined"),
    ]
    for place, code in enumerate(CODES):
        behind = place in {5, 9}
        figures += [
            number("visits_due", "visits", 4, code),
            number("visits_done", "visits", 2 if behind else 4, code),
            number("visits_late", "visits", 0, code),
            number("visits_entered_late", "visits", 0, code),
            number("visits_overdue", "visits", 2 if behind else 0, code),
            number("visits_ahead", "visits", 1, code),
        ]
    release(store, "follow_up", figures, as_of=date(2025, 12, 31), due=date(2025, 12, 31))


def release_pack(store: Store) -> None:
    """The last quarter's pack: two earlier quarters, three rectifications, a sweep, decisions."""
    months = {
        "reporting_on_time": (12, 13, 14),
        "reporting_missing": (2, 1, 0),
        "visits_due": (60, 63, 61),
        "visits_done": (52, 55, 58),
        "visits_late": (3, 4, 2),
        "visits_overdue": (5, 4, 3),
    }
    units = {name: "visits" if name.startswith("visits") else "files" for name in months}
    figures = [
        number("months_looked_at", "files", 3),
        *(
            number(name, units[name], each[2] if name == "visits_overdue" else sum(each))
            for name, each in months.items()
        ),
        number("quarter1_months_looked_at", "files", 3),
        number("quarter1_visits_due", "visits", 171),
        number("quarter1_visits_done", "visits", 150),
        number("quarter1_visits_overdue", "visits", 9),
        number("quarter2_months_looked_at", "files", 2),
        number("quarter2_visits_due", "visits", 117),
        number("quarter2_visits_overdue", "visits", 11),
        number("rectifications_open", "files", 3),
        number("rectifications_past_due", "files", 2),
        number("rectifications_again", "files", 1),
        number("problems_raised", "files", 7),
        number("rate_registered", "people", 85),
        number("rate_managed", "people", 80),
        number("rate_standard", "people", 65),
        number("rate_medicated", "people", 60),
        withheld("rate_regularly"),
        number("rate_assessed", "people", 75),
        number("rate_stable", "people", 60),
        number("managed_rate", "percent", 94.1),
        number("standard_rate", "percent", 76.5),
        number("medicated_rate", "percent", 70.6),
        withheld("regularly_rate", unit="percent"),
        number("stable_rate", "percent", 80),
        *(
            number(f"month{place}_{name}", units[name], each[place - 1])
            for name, each in months.items()
            for place in (1, 2, 3)
        ),
        number("month1_subsidy_applied", "people", 20),
        number("month2_subsidy_applied", "people", 20),
        withheld("month3_subsidy_applied"),
        not_reported("month1_subsidy_paid", "people"),
        number("month2_subsidy_paid", "people", 15),
        number("month3_subsidy_paid", "people", 0),
        number("sweep_1_households", "households", 8400),
        number("sweep_1_households_visited", "households", 7854),
        number("sweep_1_coverage", "percent", 93.5),
        number("sweep_1_referrals", "people", 45),
    ]
    for place, code in enumerate(CODES):
        figures += [
            number("reporting_on_time", "files", 2 if place == 5 else 3, code),
            number("reporting_missing", "files", int(place == 5), code),
            number("visits_due", "visits", 12, code),
            number("visits_overdue", "visits", 3 if place == 9 else 0, code),
            number("rectifications_open", "files", int(place in {2, 5, 9}), code),
            not_reported("problems_raised", "files", code)
            if place == 5
            else number("problems_raised", "files", 7 if place == 12 else 0, code),
        ]
    # two months were looked at before: what is overdue since the first was overdue at both
    for round, day in ((1, date(2025, 11, 5)), (2, date(2025, 12, 5))):
        period = f"2025-{day.month - 1}"
        release(store, "supervision", [], round=round, period=period, as_of=day, due=day)
    release(
        store,
        "quarterly_pack",
        figures,
        round=1,
        period="2025-Q4",
        as_of=date(2026, 1, 9),
        due=date(2026, 1, 9),
    )
    store.connection.execute("UPDATE ledger.out_revision SET created_at = '2026-01-10 00:10'")
    store.connection.executemany(
        "INSERT INTO ledger.agg_rectification VALUES ('autumn-2025',?,?,?,?,?,?,NULL,NULL)",
        [
            [CODES[2], "care_group_not_met", 1, date(2025, 10, 5), date(2025, 10, 19), False],
            [CODES[9], "visits_overdue", 2, date(2025, 12, 5), date(2025, 12, 19), False],
            [CODES[5], "report_missing", 3, date(2026, 1, 5), date(2026, 1, 19), True],
        ],
    )
    met, due, told = date(2025, 10, 15), date(2025, 11, 30), datetime(2025, 10, 16, 9, 0)
    store.connection.executemany(
        "INSERT INTO ledger.agg_meeting_decision VALUES ('autumn-2025',?,?,?,?,?,?,?,'Li',?)",
        [
            [1, met, "care_groups", "village", due, CODES[2], "care_group_not_met", told],
            [2, met, "subsidies", "civil_affairs", date(2026, 3, 31), "", None, told],
            [3, met, "training", "health_centre", date(2025, 12, 31), "", None, told],
        ],
    )
    store.connection.executemany(
        "INSERT INTO ledger.agg_meeting_result VALUES ('autumn-2025',?,?,?,?,'Li',?)",
        [
            [2, 1, "in_progress", date(2025, 12, 1), datetime(2025, 12, 1, 9, 0)],
            [3, 1, "in_progress", date(2025, 11, 1), datetime(2025, 11, 1, 9, 0)],
            [3, 2, "done", date(2025, 12, 20), datetime(2025, 12, 20, 9, 0)],
            # recorded after the pack: not in it
            [1, 1, "done", date(2026, 1, 5), datetime(2026, 1, 12, 9, 0)],
        ],
    )


RELEASES = {
    ("readiness", 0): release_readiness,
    ("sweep", 1): release_sweep,
    ("list_compilation", 0): release_list,
    ("aggregation", 0): release_aggregation,
    ("diagnosis_queue", 0): release_queue,
    ("follow_up", 0): release_follow_up,
    ("supervision", 1): release_supervision,
    ("quarterly_pack", 1): release_pack,
}
"""Every phase that has a page, by phase and round."""
