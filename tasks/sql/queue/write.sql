-- Grain: one row a person of the queue at $as_of.
INSERT INTO register.reg_queue BY NAME
SELECT
    $campaign AS campaign,
    state.person_ref,
    coalesce(
        state.ended, CASE WHEN held.known_session_date IS NULL THEN 'waiting' ELSE 'booked' END
    ) AS state,
    CASE
        WHEN state.ended IS NULL THEN row_number() OVER (
            PARTITION BY state.ended IS NULL
            ORDER BY state.urgency = 'soon' DESC, state.waiting_since, state.person_ref
        )
    END AS position,
    state.urgency,
    state.waiting_since,
    held.known_session_date AS session_date,
    state.attended_on,
    $as_of AS as_of
FROM queue_state AS state
LEFT JOIN queue_holding AS held ON held.person_ref = state.person_ref;
