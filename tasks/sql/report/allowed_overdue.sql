-- Grain: one row a rectification that was overdue on the as_of of a revision: for how many days, and at
-- how many looks of supervision before. Read by the gate for itself; the summary reads its own.
WITH look AS (
    SELECT round, min(as_of) AS as_of
    FROM ledger.out_revision
    WHERE campaign = $campaign AND phase = 'supervision' AND status = 'due'
    GROUP BY round
)
SELECT DISTINCT
    released.as_of - owed.due AS days,
    (
        SELECT count(*)::INTEGER
        FROM look
        WHERE look.round >= owed.opened_round AND look.as_of > owed.due
            AND (owed.closed_on IS NULL OR look.as_of < owed.closed_on)
            AND (look.round < $round OR $phase <> 'supervision')
    ) AS looks
FROM ledger.agg_rectification AS owed
JOIN ledger.out_revision AS released USING (campaign)
WHERE released.campaign = $campaign AND released.phase = $phase AND released.round = $round
    AND released.revision = $revision
    AND owed.opened_on <= released.as_of AND owed.due < released.as_of
    AND (owed.closed_on IS NULL OR owed.closed_on > released.as_of)
