-- Grain: one row: whether a withdrawn referral is still listed as one person with one that stays.
WITH listed AS (
    SELECT link.referral_ref, link.person_ref, due.referral_ref IS NOT NULL AS goes
    FROM register.reg_person_referral AS link
    LEFT JOIN retention_due AS due
        ON due.campaign = link.campaign AND due.referral_ref = link.referral_ref
    WHERE link.campaign = $campaign
        AND link.revision = (SELECT max(revision) FROM register.reg_list WHERE campaign = $campaign)
)
SELECT count(*) > 0
FROM (SELECT person_ref FROM listed GROUP BY person_ref HAVING bool_or(goes) AND NOT bool_and(goes));
