-- Grain: one row a person in files ($names) that were taken in, by reference or register number.
SELECT referral_ref AS subject
FROM register.stg_referral
WHERE verdict = 'accepted' AND submission_id IN (SELECT unnest($names::VARCHAR[]))
UNION
SELECT referral_ref
FROM register.stg_assessment_outcome
WHERE verdict = 'accepted' AND submission_id IN (SELECT unnest($names::VARCHAR[]))
UNION
SELECT register_no
FROM register.stg_registered_person
WHERE verdict = 'accepted' AND submission_id IN (SELECT unnest($names::VARCHAR[]))
UNION
SELECT register_no
FROM register.stg_follow_up
WHERE verdict = 'accepted' AND submission_id IN (SELECT unnest($names::VARCHAR[]))
ORDER BY subject;
