-- Grain: one row a village, phase and round with a later due day; the newest holds.
INSERT OR REPLACE INTO ledger.agg_extension BY NAME
SELECT $campaign AS campaign, $phase AS phase, $round AS round, $village AS village, $due AS due,
    $granted_by AS granted_by, $reason AS reason, $granted_at AS granted_at;
