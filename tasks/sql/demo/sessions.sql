-- Grain: one row a person booked into a session of a campaign.
SELECT session_date, person_ref
FROM register.reg_booking
WHERE campaign = $campaign
ORDER BY session_date, person_ref;
