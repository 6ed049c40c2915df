-- Grain: one row a township figure of the newest revision of a phase, as it was released.
SELECT name, unit, village, value, state
FROM ledger.out_figure
WHERE campaign = $campaign AND phase = $phase AND village = ''
    AND (round, revision) = (
        SELECT (round, revision) FROM ledger.out_revision
        WHERE campaign = $campaign AND phase = $phase
        ORDER BY round DESC, revision DESC LIMIT 1)
ORDER BY position;
