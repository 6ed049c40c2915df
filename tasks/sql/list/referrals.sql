-- Grain: one row a referral to list: current, and not withdrawn, whatever the day. A view: all of them
-- are read three times, a few columns each, and never copied. responsible_village: residence first,
-- household registration second (居住地为主、户籍地为辅).
CREATE OR REPLACE TEMP VIEW list_referral AS
SELECT
    r.referral_ref AS ref,
    r.full_name, r.sex, r.birth_date, r.resident_key, r.residence_village, r.phone,
    r.registered_village, r.sender_village, r.round, r.row_number,
    r.consent_date, r.consent_scope, r.care_setting, r.urgency,
    CASE
        WHEN list_contains(getvariable('list_scope').villages, r.residence_village)
            THEN r.residence_village
        WHEN list_contains(getvariable('list_scope').villages, r.registered_village)
            THEN r.registered_village
        ELSE r.sender_village
    END AS responsible_village
FROM register.stg_referral AS r
ANTI JOIN register.reg_withdrawal AS w -- NOT EXISTS would first gather the references of all
    ON w.campaign = r.campaign AND w.referral_ref = r.referral_ref
WHERE r.campaign = getvariable('list_scope').campaign AND r.is_current;
