-- Grain: one row a request, in the order in which they were asked for, with what was decided if
-- anything was. campaign: null for all. prefix: how its hash begins, '' for any.
SELECT
    request_hash, campaign, request.round, purpose, villages, opens, due, request.reason, asked_by,
    asked_account, asked_at, decision, decided_by, decision.reason AS decision_reason, decided_at
FROM ledger.agg_request AS request
LEFT JOIN ledger.agg_decision AS decision USING (request_hash)
WHERE ($campaign::VARCHAR IS NULL OR campaign = $campaign) AND starts_with(request_hash, $prefix)
ORDER BY asked_at, campaign, request.round;
