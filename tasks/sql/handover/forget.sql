-- Grain: one row, a hand-over as it was before a step.
DELETE FROM register.reg_handover
WHERE register_no = $register_no AND released_at = $released_at;
