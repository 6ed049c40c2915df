-- Grain: one row a person whom a run of the queue ordered, booked, or let go.
SELECT person_ref FROM register.reg_queue WHERE campaign = $campaign ORDER BY person_ref;
