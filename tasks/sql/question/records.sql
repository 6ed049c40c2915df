-- Grain: one row a record of a question's pair, the first record first. Shows people: health side
-- only. A record that is no longer current is not shown.
WITH
asked AS (
    SELECT ref_a, ref_b, against_register
    FROM register.reg_question
    WHERE campaign = $campaign AND question_id = $question_id
),
record AS (
    SELECT
        CASE WHEN r.referral_ref = asked.ref_a THEN 1 ELSE 2 END AS position,
        r.referral_ref AS ref, r.sender_village, r.round, r.row_no, r.full_name, r.sex,
        r.birth_date, r.resident_key IS NOT NULL AS has_resident_id, r.residence_village,
        r.registered_village, r.phone
    FROM asked
    JOIN register.stg_referral AS r
        ON r.referral_ref = asked.ref_a
        OR (r.referral_ref = asked.ref_b AND NOT asked.against_register)
    WHERE r.campaign = $campaign AND r.is_current
    UNION ALL BY NAME
    SELECT
        2 AS position,
        g.register_no AS ref, g.full_name, g.sex, g.birth_date,
        g.resident_key IS NOT NULL AS has_resident_id, g.residence_village, g.registered_village,
        g.phone
    FROM asked
    JOIN register.reg_registered AS g ON g.register_no = asked.ref_b
    WHERE asked.against_register
)
SELECT
    ref, sender_village, round, row_no, full_name, sex, birth_date, has_resident_id,
    residence_village, registered_village, phone
FROM record
ORDER BY position;
