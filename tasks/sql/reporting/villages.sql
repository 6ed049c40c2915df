-- Grain: one row a village from which something came or that has an extension, of one phase and
-- round: files received, the day the first one counted, nil return, extended to.
WITH received AS (
    SELECT
        village,
        count(*)::INTEGER AS files,
        min(received_at) FILTER (WHERE counts) AS first_counted_at,
        -- a later file that counts takes a nil return back
        arg_max(nil, received_at) FILTER (WHERE counts) AS nil
    FROM ledger.agg_submission
    WHERE campaign = $campaign AND phase = $phase AND round = $round
    GROUP BY village
),
extended AS (
    SELECT village, due AS extended_to
    FROM ledger.agg_extension
    WHERE campaign = $campaign AND phase = $phase AND round = $round
)
SELECT village, coalesce(files, 0) AS files, first_counted_at, coalesce(nil, false) AS nil,
    extended_to
FROM received FULL JOIN extended USING (village)
ORDER BY village;
