-- Grain: one row a visit that fell or falls due for a registered person, at $as_of. Each counted visit
-- meets the due day before it and sets the next; the last due day is not met yet. The rule is
-- rules/visits.py.
INSERT INTO register.reg_visit_due BY NAME
WITH
person AS (
    SELECT
        register_no,
        CASE
            WHEN list_contains($villages, registered_village)
                AND NOT list_contains($villages, residence_village) THEN registered_village
            ELSE residence_village
        END AS responsible_village,
        coalesce(last_visited_on, confirmed_on) AS since,
        stability
    FROM register.reg_registered
    WHERE coalesce(last_visited_on, confirmed_on) <= $as_of
),
visit AS (
    SELECT v.register_no, v.visited_on, v.entered_on, v.stability, v.stability AS found
    FROM register.stg_follow_up AS v
    JOIN person ON person.register_no = v.register_no AND v.visited_on > person.since
    WHERE v.is_current
        AND list_contains($seen, v.seen)
        AND v.visited_on <= $as_of
    QUALIFY row_number() OVER (
        PARTITION BY v.register_no, v.visited_on
        ORDER BY v.received_at DESC, v.submission_id, v.row_number
    ) = 1
    UNION ALL
    SELECT register_no, since, NULL, stability, NULL -- the register's word, not a visit's finding
    FROM person
),
followed AS (
    SELECT
        register_no,
        visited_on,
        stability,
        lag(found) OVER by_day AS before,
        lead(visited_on) OVER by_day AS met_on,
        lead(entered_on) OVER by_day AS met_entered_on
    FROM visit
    WINDOW by_day AS (PARTITION BY register_no ORDER BY visited_on)
),
due AS (
    SELECT
        register_no,
        visited_on,
        (visited_on + CASE
            WHEN stability = 'unstable' THEN INTERVAL 14 DAY
            WHEN stability = 'basically_stable' AND before = 'basically_stable'
                THEN INTERVAL 1 MONTH
            WHEN stability = 'basically_stable' THEN INTERVAL 14 DAY
            ELSE INTERVAL 3 MONTH
        END)::DATE AS due_on,
        met_on,
        met_entered_on
    FROM followed
)
SELECT
    due.register_no,
    person.responsible_village,
    due.due_on,
    due.met_on AS visited_on,
    due.met_entered_on AS entered_on,
    CASE
        WHEN due.met_on <= due.due_on THEN 'done'
        WHEN due.met_on IS NOT NULL THEN 'late'
        WHEN due.due_on >= $as_of THEN 'open'
        ELSE 'overdue'
    END AS state,
    $as_of AS as_of
FROM due
JOIN person ON person.register_no = due.register_no
-- an early visit can set the same due day again: the later obligation stands, it is the open one
QUALIFY row_number() OVER (
    PARTITION BY due.register_no, due.due_on
    ORDER BY due.visited_on DESC
) = 1;
