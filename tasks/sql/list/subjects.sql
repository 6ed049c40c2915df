-- Grain: one row a person of the latest compiled list of a campaign.
SELECT person_ref FROM register.reg_person
WHERE campaign = $campaign
    AND revision = (SELECT max(revision) FROM register.reg_list WHERE campaign = $campaign)
ORDER BY person_ref;
