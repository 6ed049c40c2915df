-- Grain: one row a round of supervision that was released at its due day or later: the day that its
-- first such revision was about. Later revisions of a round make it no second look.
SELECT round, min(as_of) AS as_of
FROM ledger.out_revision
WHERE campaign = $campaign AND phase = 'supervision' AND status = 'due'
GROUP BY round
ORDER BY round;
