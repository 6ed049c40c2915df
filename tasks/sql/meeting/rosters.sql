-- Grain: one row a village whose care group was not known to be complete at the last look of one of
-- $months, by the newest revision of it up to $as_of that was made by $until: a required role is not
-- filled, or the village never sent a roster.
WITH last_look AS (
    SELECT round, revision
    FROM ledger.out_revision
    WHERE campaign = $campaign AND phase = 'supervision' AND list_contains($months, period)
        AND as_of <= $as_of AND created_at <= $until
    ORDER BY round DESC, revision DESC
    LIMIT 1
)
SELECT figure.village
FROM last_look
JOIN ledger.out_figure AS figure
    ON figure.campaign = $campaign AND figure.phase = 'supervision'
    AND figure.round = last_look.round AND figure.revision = last_look.revision
WHERE figure.audience = 'office' AND figure.village <> ''
    AND figure.name IN ('care_roles_owed', 'care_roles_filled')
GROUP BY figure.village
HAVING coalesce(sum(figure.value) FILTER (figure.name = 'care_roles_filled'), 0)
    < sum(figure.value) FILTER (figure.name = 'care_roles_owed')
ORDER BY figure.village
