-- Grain: one row a step that a person took about a rectification of the campaign, in their order.
SELECT village, shortfall, opened_round, step, on_day, taken_by AS "by", noted_at::DATE AS noted_on,
    evidence, reason
FROM ledger.agg_rectification_step
WHERE campaign = $campaign
ORDER BY village, shortfall, opened_round, position;
