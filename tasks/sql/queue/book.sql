-- Grain: one row a person newly booked: the first who waits gets the first free seat. Seats are those
-- of sessions after $as_of, which is over, less the people who hold one.
INSERT INTO register.reg_booking BY NAME
WITH
session AS (
    SELECT day, sum(capacity)::INTEGER AS capacity
    FROM (SELECT unnest($days) AS day, unnest($capacities) AS capacity)
    WHERE day > $as_of
    GROUP BY day
),
free AS (
    SELECT session.day, session.capacity - count(held.person_ref) AS seats
    FROM session
    LEFT JOIN queue_holding AS held ON held.session_date = session.day
    GROUP BY session.day, session.capacity
),
seat AS (
    SELECT day, row_number() OVER (ORDER BY day) AS number
    FROM (SELECT day, unnest(range(seats)) FROM free WHERE seats > 0)
),
waiting AS (
    SELECT
        state.person_ref,
        row_number() OVER (
            ORDER BY state.urgency = 'soon' DESC, state.waiting_since, state.person_ref
        ) AS number
    FROM queue_state AS state
    ANTI JOIN queue_holding AS held ON held.person_ref = state.person_ref
    WHERE state.ended IS NULL
        AND list_contains($settings, state.care_setting)
)
SELECT
    $campaign AS campaign,
    seat.day AS session_date,
    waiting.person_ref,
    $as_of AS booked_on
FROM waiting
JOIN seat ON seat.number = waiting.number;
