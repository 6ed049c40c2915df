-- Grain: one row a record of the person as if it arrived at $at, so that intake's rules can judge it:
-- its reference takes the place of a file. In memory only.
CREATE OR REPLACE TABLE arrived AS
SELECT
    ref AS submission_id, campaign, $at AS received_at, 'sweep' AS phase, 0 AS round,
    '' AS sender_village
FROM (
    SELECT DISTINCT referral_ref AS ref, campaign FROM subject_referral
    UNION ALL
    SELECT register_no, $campaign FROM subject_registered
);
