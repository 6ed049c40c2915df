-- Grain: one row a village, phase, round and revision of a campaign.
SELECT phase, round, revision, village, state, nil
FROM ledger.agg_reporting
WHERE campaign = $campaign
ORDER BY phase, round, revision, village;
