-- Grain: one row a person of the queue at $as_of who has not withdrawn, over queue_member, queue_outcome,
-- queue_state and the queue as written: how far it has come with them.
CREATE OR REPLACE TEMP TABLE figure_queue_person AS
SELECT
    state.person_ref,
    coalesce(state.ended, queue.state) AS state,
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
WHERE state.ended IS DISTINCT FROM 'withdrawn';
