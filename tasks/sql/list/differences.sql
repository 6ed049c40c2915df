-- Grain: one row: whether the list just compiled says anything else than revision $revision.
WITH
was AS (
    SELECT * EXCLUDE (campaign, revision)
    FROM register.reg_person
    WHERE campaign = $campaign AND revision = $revision
),
was_referral AS (
    SELECT * EXCLUDE (campaign, revision)
    FROM register.reg_person_referral
    WHERE campaign = $campaign AND revision = $revision
)
SELECT
    EXISTS (FROM (FROM list_person EXCEPT FROM was))
    OR EXISTS (FROM (FROM was EXCEPT FROM list_person))
    OR EXISTS (FROM (FROM list_person_referral EXCEPT FROM was_referral))
    OR EXISTS (FROM (FROM was_referral EXCEPT FROM list_person_referral));
