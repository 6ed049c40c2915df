-- Grain: one row a person of the newest compiled list.
CREATE OR REPLACE TEMP VIEW check_reg_person AS
SELECT *, (SELECT count(*) FROM register.reg_person_referral AS link
           WHERE link.campaign = person.campaign AND link.revision = person.revision
               AND link.person_ref = person.person_ref) AS linked
FROM register.reg_person AS person
WHERE campaign = getvariable('check_scope').campaign
    AND revision = getvariable('check_scope').revision;
