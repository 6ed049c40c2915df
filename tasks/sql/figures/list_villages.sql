-- Grain: one row a village of the plan: people it is responsible for, those whom retention erased among
-- them; null where nobody is listed and its referrals are not known for any round of the sweep: not
-- reported is not zero.
WITH counted AS (
    SELECT village, count(*) AS people FROM figure_person GROUP BY village
    UNION ALL
    SELECT village, amount
    FROM register.reg_tally
    WHERE campaign = $campaign AND phase = 'list_compilation' AND name = 'people_listed'
)
SELECT
    village.code AS village,
    CASE
        WHEN sum(counted.people) > 0 OR list_contains($reported::VARCHAR[], village.code)
            THEN coalesce(sum(counted.people), 0)::INTEGER
    END AS people_listed
FROM (SELECT unnest($villages) AS code) AS village
LEFT JOIN counted ON counted.village = village.code
GROUP BY village.code;
