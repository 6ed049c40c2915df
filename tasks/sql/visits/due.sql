-- Grain: one row a visit that fell or falls due for a registered person, at $as_of, out of visit_person
-- and visit_event. What meets or closes the visit that is owed sets the next; the last one is not met
-- yet; of somebody who took the consent back it is as declined, since no list holds it any more.
-- $rating and $months: who is met face to face, and how many months apart; null for no such rule.
-- The rule is rules/visits.py.
INSERT INTO register.reg_visit_due BY NAME
WITH
chain AS (
    SELECT
        register_no, since AS day, -1 AS place, 'start' AS kind, NULL::DATE AS entered_on,
        stability AS known, NULL::VARCHAR AS found, NULL::INTEGER AS rating,
        false AS face_to_face, false AS starts_anew
    FROM visit_person -- the register's word, not a visit's finding
    UNION ALL
    SELECT
        register_no, day, place, kind, entered_on, NULL, stability, rating, face_to_face,
        face_to_face OR kind = 'declined' OR is_away
    FROM visit_event
    WHERE counts AND kind <> 'tried' AND (met_person OR NOT is_away)
),
judged AS (
    SELECT
        *,
        CASE
            WHEN kind <> 'start' AND found IS NULL THEN NULL -- no clinician judged: as before
            WHEN coalesce(found, known) = 'unstable' THEN INTERVAL 14 DAY
            WHEN found = 'basically_stable'
                AND lag(found IGNORE NULLS) OVER by_day = 'basically_stable' THEN INTERVAL 1 MONTH
            WHEN coalesce(found, known) = 'basically_stable' THEN INTERVAL 14 DAY
            ELSE INTERVAL 3 MONTH
        END AS own_interval,
        coalesce(last_value(rating IGNORE NULLS) OVER up_to >= $rating, false) AS is_high
    FROM chain
    WINDOW
        by_day AS (PARTITION BY register_no ORDER BY day, place),
        up_to AS (
            PARTITION BY register_no ORDER BY day, place
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
carried AS (
    SELECT
        *,
        last_value(own_interval IGNORE NULLS) OVER up_to AS visit_interval,
        max(day) FILTER (starts_anew) OVER up_to AS met_on,
        count(*) FILTER (NOT is_high) OVER up_to AS run -- of visits since the rating was low last
    FROM judged
    WINDOW up_to AS (
        PARTITION BY register_no ORDER BY day, place
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
limited AS (
    SELECT
        *,
        (day + visit_interval)::DATE AS by_interval,
        if(
            is_high,
            (greatest(met_on, min(day) FILTER (is_high) OVER (PARTITION BY register_no, run))
                + to_months($months))::DATE,
            NULL
        ) AS by_meeting
    FROM carried
),
followed AS (
    SELECT
        register_no, day, place, kind,
        least(by_interval, by_meeting) AS due_on,
        coalesce(by_meeting <= by_interval, false) AS face_to_face,
        lead(kind) OVER by_day AS next_kind,
        lead(day) OVER by_day AS next_on,
        lead(entered_on) OVER by_day AS next_entered_on,
        lead(is_high AND NOT face_to_face) OVER by_day AS still_asked
    FROM limited
    WINDOW by_day AS (PARTITION BY register_no ORDER BY day, place)
)
SELECT
    followed.register_no,
    person.responsible_village,
    due_on,
    if(next_kind = 'made', next_on, NULL) AS visited_on,
    if(next_kind = 'made', next_entered_on, NULL) AS entered_on,
    coalesce(next_on, person.withdrawn_on) AS closed_on,
    CASE
        WHEN next_kind = 'made' AND next_on <= due_on THEN 'done'
        WHEN next_kind = 'made' THEN 'late'
        WHEN next_kind IS NOT NULL THEN next_kind
        WHEN person.withdrawn_on IS NOT NULL THEN 'declined'
        WHEN due_on >= $as_of THEN 'open'
        ELSE 'overdue'
    END AS state,
    face_to_face,
    $as_of AS as_of
FROM followed
JOIN visit_person AS person ON person.register_no = followed.register_no
WHERE kind IN ('start', 'made', 'declined')
    -- a call does not meet a visit that must be face to face: the next row sets the same limit again
    AND NOT (face_to_face AND coalesce(next_kind = 'made' AND still_asked, false))
-- an early visit can set the same due day again: the later obligation stands, it is the open one
QUALIFY row_number() OVER (
    PARTITION BY followed.register_no, due_on
    ORDER BY day DESC, place DESC
) = 1;
