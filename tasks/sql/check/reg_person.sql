-- Grain: one row a person of the newest compiled list. A table, not a view: what is linked to each would
-- be counted anew for each rule.
CREATE OR REPLACE TEMP TABLE check_reg_person AS
SELECT
    person_ref, responsible_village, care_setting, referrals, coalesce(linked, 0) AS linked
FROM register.reg_person
LEFT JOIN (
    SELECT person_ref, count(*) AS linked
    FROM register.reg_person_referral
    WHERE campaign = getvariable('check_scope').campaign
        AND revision = getvariable('check_scope').revision
    GROUP BY person_ref
) USING (person_ref)
WHERE campaign = getvariable('check_scope').campaign
    AND revision = getvariable('check_scope').revision;
