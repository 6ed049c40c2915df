-- Grain: one row a village of a released revision of any campaign: its one reporting state.
SELECT campaign, phase, round, revision, village, state, nil
FROM ledger.agg_reporting
ORDER BY campaign, phase, round, revision, village;
