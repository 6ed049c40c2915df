-- Grain: one row a service gap, open or closed.
SELECT gap_id, register_no, kind, found_by, opened_on, owner, next_step, due_on, closed_on, closed_as
FROM register.reg_gap
ORDER BY gap_id;
