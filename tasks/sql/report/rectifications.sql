-- Grain: one row a rectification that concerns a round's look: open on its as_of, or closed by that look
-- or by a person before it. What happened after as_of is left out, so that an old report stays what it
-- was. evidence: its kind, where evidence waits for the supervisor; escalated: at how many earlier
-- looks it stood overdue.
WITH
look AS (
    SELECT round, min(as_of) AS as_of
    FROM ledger.out_revision
    WHERE campaign = $campaign AND phase = 'supervision' AND status = 'due' AND round < $round
    GROUP BY round
),
step AS (
    SELECT
        village,
        shortfall,
        opened_round,
        bool_or(step = 'closed') AS by_person,
        max_by(evidence, position) FILTER (WHERE step = 'evidence') AS evidence,
        max_by(step, position) AS newest
    FROM ledger.agg_rectification_step
    WHERE campaign = $campaign AND noted_at::DATE <= $as_of
    GROUP BY ALL
)
SELECT
    owed.village,
    owed.shortfall,
    owed.opened_on,
    owed.due,
    owed.due_provisional,
    CASE WHEN owed.closed_on <= $as_of THEN owed.closed_on END AS closed_on,
    coalesce(step.by_person, false) AS closed_by_person,
    CASE WHEN step.newest = 'evidence' THEN step.evidence END AS evidence,
    (
        SELECT count(*)::INTEGER
        FROM look
        WHERE look.round >= owed.opened_round AND look.as_of > owed.due
            AND (owed.closed_on IS NULL OR owed.closed_on > look.as_of)
    ) AS escalated
FROM ledger.agg_rectification AS owed
LEFT JOIN step USING (village, shortfall, opened_round)
WHERE owed.campaign = $campaign
    AND owed.opened_on <= $as_of
    AND owed.opened_round <= $round
    AND (owed.closed_on IS NULL OR owed.closed_on > $as_of OR owed.closed_round = $round)
ORDER BY owed.due, owed.village, owed.shortfall
