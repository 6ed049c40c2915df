-- Grain: one row a decision of the campaign's joint meetings recorded up to $until, with the newest
-- that was recorded of it by then.
SELECT
    decided.number, decided.met_on, decided.topic, decided.owner, decided.due, decided.village,
    decided.shortfall,
    arg_max(became.result, became.position) AS result,
    arg_max(became.on_day, became.position) AS result_on
FROM ledger.agg_meeting_decision AS decided
LEFT JOIN ledger.agg_meeting_result AS became
    ON became.campaign = decided.campaign AND became.number = decided.number
        AND became.recorded_at <= $until
WHERE decided.campaign = $campaign AND decided.recorded_at <= $until
GROUP BY ALL
ORDER BY decided.number;
