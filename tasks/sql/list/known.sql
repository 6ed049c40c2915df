-- Grain: one row a registered person who was known before the campaign, as of $as_of. Who was enrolled
-- by this campaign's own assessments was not.
CREATE OR REPLACE TEMP TABLE list_known AS
SELECT
    g.register_no AS ref,
    g.full_name, g.sex, g.birth_date, g.resident_key, g.residence_village, g.phone
FROM register.reg_registered AS g
ANTI JOIN register.stg_referral AS own
    ON g.source = 'assessment' AND own.campaign = $campaign AND own.referral_ref = g.referral_ref
WHERE g.confirmed_on <= $as_of;
