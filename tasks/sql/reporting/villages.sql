-- Grain: one row a village from which something came or that has an extension, by phase and round (of
-- $phase and $round, or of all where they are null): files received, the day the first one counted,
-- nil return, extended to.
WITH received AS (
    SELECT
        phase,
        round,
        village,
        count(*)::INTEGER AS files,
        min(received_at) FILTER (WHERE counts) AS first_counted_at,
        -- a later file that counts takes a nil return back
        arg_max(nil, received_at) FILTER (WHERE counts) AS nil
    FROM ledger.agg_submission
    WHERE campaign = $campaign
        AND ($phase::VARCHAR IS NULL OR phase = $phase)
        AND ($round::INTEGER IS NULL OR round = $round)
    GROUP BY phase, round, village
),
extended AS (
    SELECT phase, round, village, due AS extended_to
    FROM ledger.agg_extension
    WHERE campaign = $campaign
        AND ($phase::VARCHAR IS NULL OR phase = $phase)
        AND ($round::INTEGER IS NULL OR round = $round)
)
SELECT phase, round, village, coalesce(files, 0) AS files, first_counted_at,
    coalesce(nil, false) AS nil, extended_to
FROM received FULL JOIN extended USING (phase, round, village)
ORDER BY phase, round, village;
