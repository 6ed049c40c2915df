-- Grain: one row a hand-over, the newest first: who is meant by number, never by name.
SELECT
    register_no, from_village, to_village, state, released_at, released_by, ended_at, ended_by
FROM register.reg_handover
ORDER BY released_at DESC, register_no;
