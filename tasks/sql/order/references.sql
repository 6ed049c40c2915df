-- Grain: one row a referral of a sender out of order whose reference somebody was told: it is on a
-- list, or was withdrawn under it.
CREATE OR REPLACE TEMP TABLE told_reference AS
SELECT DISTINCT stored.submission_id, stored.row_number, stored.campaign, stored.referral_ref
FROM register.stg_referral AS stored
JOIN late_referral AS late
    ON stored.submission_id = late.held_submission AND stored.row_number = late.held_row
WHERE stored.is_current AND (stored.campaign, stored.referral_ref) IN (
    SELECT campaign, referral_ref FROM register.reg_person_referral
    UNION ALL
    SELECT campaign, referral_ref FROM register.reg_withdrawal);
