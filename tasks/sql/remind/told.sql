-- Grain: one row a phase and round of a campaign: the due day that people were told of last.
SELECT phase, round, position, due, provisional
FROM ledger.agg_deadline
WHERE campaign = $campaign
QUALIFY position = max(position) OVER (PARTITION BY phase, round)
ORDER BY phase, round;
