-- Grain: one row a village of a released revision, of any campaign, whose reporting state differs from
-- the revision before.
SELECT
    after.campaign,
    after.phase,
    after.round,
    after.revision,
    after.village,
    before.state AS state_before,
    before.nil AS nil_before,
    after.state,
    after.nil
FROM ledger.agg_reporting AS after
JOIN ledger.agg_reporting AS before
    ON (before.campaign, before.phase, before.round, before.village)
        = (after.campaign, after.phase, after.round, after.village)
        AND before.revision = after.revision - 1
WHERE (before.state, before.nil) <> (after.state, after.nil)
ORDER BY after.campaign, after.phase, after.round, after.revision, after.village;
