-- Grain: one row, a new decision of a joint meeting under the campaign's next number, which it returns.
INSERT INTO ledger.agg_meeting_decision BY NAME
SELECT $campaign AS campaign,
    (SELECT coalesce(max(number), 0) + 1
        FROM ledger.agg_meeting_decision WHERE campaign = $campaign) AS number,
    $met_on AS met_on, $topic AS topic, $owner AS owner, $due AS due, $village AS village,
    $shortfall::VARCHAR AS shortfall, $by AS recorded_by, $now AS recorded_at
RETURNING number;
