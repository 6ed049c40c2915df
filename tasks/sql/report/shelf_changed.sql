-- Grain: one row a township figure of a released revision, of any campaign, that differs from the one
-- before it, in the order of release.
SELECT
    after.campaign,
    after.phase,
    after.round,
    after.revision,
    after.name,
    after.unit,
    before.value AS value_before,
    before.state AS state_before,
    after.value,
    after.state
FROM ledger.out_figure AS after
JOIN ledger.out_figure AS before
    ON (before.campaign, before.phase, before.round, before.audience, before.name, before.village)
        = (after.campaign, after.phase, after.round, after.audience, after.name, after.village)
        AND before.revision = after.revision - 1
WHERE after.audience = $audience
    AND after.village = ''
    AND (before.value, before.state) IS DISTINCT FROM (after.value, after.state)
ORDER BY after.campaign, after.phase, after.round, after.revision, after.position, after.name;
