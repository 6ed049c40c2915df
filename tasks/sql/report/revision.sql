-- Grain: one row, the released revision asked for (none where it was never released).
SELECT as_of, due, due_provisional, period, status, created_at
FROM ledger.out_revision
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
