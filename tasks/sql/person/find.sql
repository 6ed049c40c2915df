-- Grain: one row a record that matches everything asked for: which reference, where, born in which
-- year. Cells are compared as intake keeps them; a telephone may be the contact's. A frozen record is
-- found by what was frozen.
WITH
asked AS (
    SELECT
        person_name(norm_text($full_name)) AS full_name,
        to_date(norm_text($birth_date)) AS birth_date,
        phone_number(norm_text($phone)) AS phone
),
record AS (
    SELECT referral_ref AS ref, campaign, 'referral' AS kind, full_name, birth_date,
        residence_village, phone, contact_phone
    FROM register.stg_referral
    WHERE is_current
    UNION ALL BY NAME
    SELECT register_no AS ref, '' AS campaign, 'registered' AS kind, full_name, birth_date,
        residence_village, phone
    FROM register.reg_registered
    UNION ALL BY NAME
    SELECT register_no AS ref, '' AS campaign, 'frozen' AS kind,
        kept.record->'record'->>'full_name' AS full_name,
        (kept.record->'record'->>'birth_date')::DATE AS birth_date,
        kept.record->'record'->>'residence_village' AS residence_village,
        kept.record->'record'->>'phone' AS phone
    FROM register.reg_frozen, unnest(from_json(records, '["JSON"]')) AS kept (record)
    WHERE kept.record->>'table' = 'reg_registered'
)
SELECT ref, campaign, kind, residence_village AS village, year(record.birth_date)::INTEGER AS birth_year
FROM record, asked
WHERE ($full_name IS NULL OR record.full_name = asked.full_name)
    AND ($birth_date IS NULL OR record.birth_date = asked.birth_date)
    AND ($phone IS NULL OR asked.phone IN (record.phone, record.contact_phone))
ORDER BY kind, campaign, ref;
