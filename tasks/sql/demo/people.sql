-- Grain: one row a person of the newest compiled list.
SELECT person_ref, responsible_village, residence_village, registered_village, care_setting,
    urgency, consent_scope, waiting_since, register_no
FROM register.reg_person
WHERE campaign = $campaign
    AND revision = (SELECT max(revision) FROM register.reg_list WHERE campaign = $campaign)
ORDER BY person_ref;
