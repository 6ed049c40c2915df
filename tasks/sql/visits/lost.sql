-- Grain: one row a person of visit_event who is lost to follow-up at the day it was made for:
-- rules/visits.is_lost. $attempts on different days within $days, since anybody was reached.
WITH
reached AS (
    SELECT
        register_no,
        max(day) FILTER (kind <> 'tried') AS reached_on,
        arg_max(place > 1, (day, place)) FILTER (place > 1 OR met_person) AS is_gone
    FROM visit_event
    WHERE counts
    GROUP BY register_no
),
tried AS (
    SELECT
        register_no, day, lag(day, $attempts - 1) OVER (PARTITION BY register_no ORDER BY day) AS first
    FROM visit_event
    JOIN reached USING (register_no)
    JOIN visit_person USING (register_no)
    WHERE withdrawn_on IS NULL AND counts AND kind = 'tried' AND coalesce(day > reached_on, true) AND NOT coalesce(is_gone, false)
)
SELECT DISTINCT register_no FROM tried WHERE day - first < $days ORDER BY register_no;
