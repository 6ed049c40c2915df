-- Grain: one row a follow-up visit of the person on the register with this number, oldest first.
SELECT
    visited_on, mode, seen, stability, rating, medication, adverse_reaction, lost_reason,
    clinician_licence
FROM register.stg_follow_up
WHERE is_current AND register_no = $register_no
ORDER BY visited_on, entered_on, submission_id, row_number;
