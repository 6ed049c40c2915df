-- Grain: one row a village: the visits of a concentrated follow-up that opened on $opens and is due on
-- $due, out of visit_person and visit_event: one for everybody who was on the register and at home on the
-- opening day. The rule is rules/visits.concentrated_state; who took the consent back since has declined.
-- $lost: who is lost to follow-up.
WITH
owed AS (
    SELECT person.register_no, person.responsible_village, person.withdrawn_on
    FROM visit_person AS person
    LEFT JOIN visit_event AS event
        ON event.register_no = person.register_no AND event.counts AND event.day < $opens
    WHERE person.confirmed_on <= $opens AND coalesce(person.withdrawn_on >= $opens, true)
    GROUP BY ALL
    HAVING NOT coalesce(
        arg_max(event.place > 1, (event.day, event.place))
            FILTER (event.place > 1 OR event.met_person), false)
),
event AS (
    SELECT register_no, day, place, kind, entered_on FROM visit_event WHERE day >= $opens
    UNION ALL
    SELECT register_no, last_visited_on, 1, 'made', NULL -- the register's word
    FROM visit_person WHERE last_visited_on >= $opens
),
known AS (
    SELECT
        owed.responsible_village,
        owed.register_no,
        owed.withdrawn_on,
        arg_min(event, (event.day, event.place, event.entered_on))
            FILTER (event.kind = 'made') AS made,
        arg_min(event, (event.day, event.place))
            FILTER (event.kind NOT IN ('made', 'tried')) AS closed
    FROM owed
    LEFT JOIN event ON event.register_no = owed.register_no
    GROUP BY ALL
),
judged AS (
    SELECT
        responsible_village,
        register_no,
        made.entered_on AS entered_on,
        CASE
            WHEN made.day <= $due THEN 'done'
            WHEN made IS NOT NULL
                AND coalesce((made.day, made.place) < (closed.day, closed.place), true) THEN 'late'
            WHEN closed IS NOT NULL THEN closed.kind
            WHEN withdrawn_on IS NOT NULL THEN 'declined'
            WHEN $due >= $as_of THEN 'open'
            ELSE 'overdue'
        END AS state
    FROM known
)
SELECT
    responsible_village AS village,
    count(*)::INTEGER AS due,
    count(*) FILTER (state = 'done')::INTEGER AS done,
    count(*) FILTER (state = 'late')::INTEGER AS late,
    count(*) FILTER (state = 'open')::INTEGER AS open,
    count(*) FILTER (state = 'overdue')::INTEGER AS overdue,
    count(*) FILTER (state = 'declined')::INTEGER AS declined,
    count(*) FILTER (state = 'moved')::INTEGER AS moved,
    count(*) FILTER (state = 'transferred')::INTEGER AS transferred,
    count(*) FILTER (state = 'died')::INTEGER AS died,
    count(*) FILTER (state IN ('open', 'overdue') AND list_contains($lost, register_no))::INTEGER
        AS lost,
    count(*) FILTER (state = 'done' AND entered_on > $due)::INTEGER AS entered_late
FROM judged
GROUP BY responsible_village
ORDER BY responsible_village;
