-- Grain: one row a village of the plan: people it is responsible for; null where nobody is listed and
-- its referrals are not known for any round of the sweep: not reported is not zero.
SELECT
    village.code AS village,
    CASE
        WHEN count(p.village) > 0 OR list_contains($reported::VARCHAR[], village.code)
            THEN count(p.village)
    END AS people_listed
FROM (SELECT unnest($villages) AS code) AS village
LEFT JOIN figure_person AS p ON p.village = village.code
GROUP BY village.code;
