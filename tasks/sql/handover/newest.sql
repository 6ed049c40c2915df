-- Grain: one row, the newest hand-over of the person with this number, if there was any.
SELECT from_village, to_village, released_at, released_by, state, ended_at, ended_by
FROM register.reg_handover
WHERE register_no = $register_no
ORDER BY released_at DESC
LIMIT 1;
