-- Grain: one row a village of a phase and round, if something of it counts, or its due day moved.
SELECT
    village,
    coalesce(bool_or(counts), false) AS has_reported,
    max(due) AS extended_to
FROM (
    SELECT village, counts, NULL::DATE AS due
    FROM ledger.agg_submission
    WHERE campaign = $campaign AND phase = $phase AND round = $round
    UNION ALL
    SELECT village, false AS counts, due
    FROM ledger.agg_extension
    WHERE campaign = $campaign AND phase = $phase AND round = $round
)
GROUP BY village
