-- Grain: one row: whether the list just compiled says anything else than revision $revision. Both
-- sides of each comparison hold a person, or a referral, once.
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
    EXISTS (
        FROM list_person AS now
        FULL JOIN was ON was.person_ref = now.person_ref
        WHERE now IS DISTINCT FROM was
    )
    OR EXISTS (
        FROM list_person_referral AS now
        FULL JOIN was_referral AS was ON was.referral_ref = now.referral_ref
        WHERE now IS DISTINCT FROM was
    );
