-- Grain: one row a person with a seat that is still to come: the earliest session from $as_of on that
-- lies after the person's last outcome. booked_on: when that seat was booked.
CREATE OR REPLACE TEMP TABLE queue_holding AS
SELECT
    state.person_ref,
    min(booking.session_date) AS session_date,
    min(booking.session_date) FILTER (WHERE booking.booked_on <= $as_of) AS known_session_date
FROM register.reg_booking AS booking
JOIN queue_member AS member ON member.referral_ref = booking.person_ref
JOIN queue_state AS state ON state.person_ref = member.person_ref
WHERE booking.campaign = $campaign
    AND booking.session_date >= $as_of
    AND booking.session_date > coalesce(state.last_on, DATE '0001-01-01')
    AND state.ended IS NULL
GROUP BY state.person_ref;
