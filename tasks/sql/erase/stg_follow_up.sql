-- Grain: one row a visit row of the people of subject_registered. The row stays accounted for (file,
-- number, verdict); all it said is gone.
UPDATE register.stg_follow_up AS gone
SET
    is_current = false,
    row_key = NULL,
    alt_key = NULL,
    content_hash = NULL,
    first_received_at = NULL,
    register_no = NULL,
    visited_on = NULL,
    entered_on = NULL,
    mode = NULL,
    seen = NULL,
    stability = NULL,
    rating = NULL,
    medication = NULL,
    adverse_reaction = NULL,
    lost_reason = NULL,
    clinician_licence = NULL
WHERE gone.register_no IN (SELECT register_no FROM subject_registered);
