-- Grain: one request, with the campaign's next number for an ad-hoc sweep.
INSERT INTO ledger.agg_request BY NAME
SELECT
    $request_hash AS request_hash,
    $campaign AS campaign,
    greatest($first_round, coalesce(max(round) + 1, 0)) AS round,
    $purpose AS purpose,
    $villages::VARCHAR[] AS villages,
    $opens AS opens,
    $due AS due,
    $reason AS reason,
    $asked_by AS asked_by,
    $asked_account AS asked_account,
    $asked_at AS asked_at
FROM ledger.agg_request
WHERE campaign = $campaign;
