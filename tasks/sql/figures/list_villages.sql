-- Grain: one row a village of the plan: people it is responsible for; null where nobody is listed and
-- the village never reported a sweep: not reported is not zero.
SELECT
    village.code AS village,
    CASE
        WHEN count(p.village) > 0 OR bool_or(reported.sender_village IS NOT NULL)
            THEN count(p.village)
    END AS people_listed
FROM (SELECT unnest($villages) AS code) AS village
LEFT JOIN (
    SELECT DISTINCT sender_village
    FROM register.raw_submission
    WHERE campaign = $campaign
        AND phase = 'sweep'
        AND (accepted + unchanged > 0 OR nil)
) AS reported ON reported.sender_village = village.code
LEFT JOIN figure_person AS p ON p.village = village.code
GROUP BY village.code;
