-- Grain: one row a person enrolled from an assessment of the campaign.
SELECT residence_village, registered_village, confirmed_on
FROM register.reg_registered
WHERE source = 'assessment'
ORDER BY confirmed_on, residence_village, registered_village;
