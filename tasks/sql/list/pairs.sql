-- Grain: one row a pair of records that a linking rule speaks of (rules/linking.py); a is a referral
-- and a < b. A pair of two registered people is none: the register is not tidied up here.
CREATE OR REPLACE TEMP TABLE list_pair AS
WITH
candidate AS (
    SELECT a.node AS a, b.node AS b
    FROM list_node AS a
    JOIN list_node AS b
        ON a.resident_key = b.resident_key AND a.node < b.node
    WHERE NOT a.registered
    UNION
    SELECT a.node, b.node
    FROM list_node AS a
    JOIN list_node AS b
        ON a.full_name = b.full_name AND a.birth_date = b.birth_date AND a.node < b.node
    WHERE NOT a.registered
    UNION
    SELECT a.node, b.node
    FROM list_node AS a
    JOIN list_node AS b
        ON a.phone = b.phone AND a.birth_date = b.birth_date AND a.sex = b.sex AND a.node < b.node
    WHERE NOT a.registered
    UNION
    SELECT a.node, b.node
    FROM list_node AS a
    JOIN list_node AS b
        ON a.full_name = b.full_name AND a.phone = b.phone AND a.node < b.node
    WHERE NOT a.registered
),
compared AS (
    SELECT
        candidate.a,
        candidate.b,
        a.full_name = b.full_name AS name,
        a.sex = b.sex AS sex,
        a.birth_date = b.birth_date AS birth,
        a.residence_village = b.residence_village AS village,
        coalesce(a.phone = b.phone, false) AS phone,
        coalesce(a.resident_key = b.resident_key, false) AS key,
        coalesce(a.resident_key <> b.resident_key, false) AS two_keys
    FROM candidate
    JOIN list_node AS a ON a.node = candidate.a
    JOIN list_node AS b ON b.node = candidate.b
),
ruled AS (
    SELECT
        a,
        b,
        CASE
            WHEN key THEN 'resident_key'
            WHEN name AND birth AND phone AND two_keys THEN 'ids_differ'
            WHEN two_keys THEN NULL
            WHEN name AND birth AND phone THEN 'name_birth_phone'
            WHEN name AND birth AND sex AND village THEN 'name_birth_village'
            WHEN name AND birth AND sex THEN 'name_birth_elsewhere'
            WHEN phone AND birth AND sex THEN 'phone_birth_other_name'
            WHEN name AND phone THEN 'name_phone_other_birth'
        END AS rule
    FROM compared
)
SELECT a, b, rule, list_position($certain, rule) AS strength
FROM ruled
WHERE rule IS NOT NULL;
