-- Grain: one row, a step that a person takes about a rectification; after those taken before.
INSERT INTO ledger.agg_rectification_step BY NAME
SELECT
    $campaign AS campaign,
    $village AS village,
    $shortfall AS shortfall,
    $opened_round AS opened_round,
    coalesce(max(position), 0) + 1 AS position,
    $step AS step,
    $on_day AS on_day,
    $by AS taken_by,
    $evidence AS evidence,
    $reason AS reason,
    $now AS noted_at
FROM ledger.agg_rectification_step
WHERE campaign = $campaign AND village = $village AND shortfall = $shortfall
    AND opened_round = $opened_round;
