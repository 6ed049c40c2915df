-- Grain: one row: exact counts of the queue at $as_of, over queue_member, queue_outcome, queue_state
-- and the queue as written; people who have withdrawn are in none. Waiting is counted from consent to
-- the first assessment.
WITH
person AS (
    SELECT
        state.person_ref,
        queue.state,
        state.waiting_since,
        told.attended_on,
        told.person_ref IS NOT NULL AS has_outcome,
        EXISTS (
            FROM register.reg_booking AS booking
            JOIN queue_member AS member ON member.referral_ref = booking.person_ref
            WHERE booking.campaign = $campaign
                AND booking.session_date <= $as_of
                AND booking.booked_on <= $as_of
                AND member.person_ref = state.person_ref
        ) AS was_booked
    FROM queue_state AS state
    JOIN register.reg_queue AS queue
        ON queue.campaign = $campaign AND queue.person_ref = state.person_ref
    LEFT JOIN queue_outcome AS told ON told.person_ref = state.person_ref
    WHERE state.ended IS DISTINCT FROM 'withdrawn'
)
SELECT
    count(*) FILTER (WHERE state = 'waiting') AS people_waiting,
    count(*) FILTER (WHERE state = 'booked') AS people_booked,
    count(*) FILTER (WHERE was_booked OR has_outcome) AS people_offered,
    -- who declined was offered an assessment and did not heed the offer
    count(attended_on) AS people_attended,
    count(attended_on) AS people_assessed,
    count(*) FILTER (WHERE state = 'confirmed') AS people_confirmed,
    count(*) FILTER (WHERE state = 'not_confirmed') AS people_not_confirmed,
    count(*) FILTER (WHERE state = 'declined') AS people_declined,
    quantile_cont(attended_on - waiting_since, 0.5) AS waiting_median,
    quantile_cont(attended_on - waiting_since, 0.9) AS waiting_p90
FROM person;
