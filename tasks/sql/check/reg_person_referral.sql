-- Grain: one row a current referral that was not withdrawn, with the person it belongs to. A table, not a
-- view: both would be joined anew for each rule.
CREATE OR REPLACE TEMP TABLE check_reg_person_referral AS
SELECT referral_ref, link.person_ref
FROM (SELECT referral_ref FROM register.stg_referral
      WHERE is_current AND campaign = getvariable('check_scope').campaign
          AND referral_ref NOT IN (SELECT referral_ref FROM register.reg_withdrawal AS gone
              WHERE gone.campaign = getvariable('check_scope').campaign)) AS referral
FULL JOIN (SELECT referral_ref, person_ref FROM register.reg_person_referral
           WHERE campaign = getvariable('check_scope').campaign
               AND revision = getvariable('check_scope').revision) AS link
    USING (referral_ref);
