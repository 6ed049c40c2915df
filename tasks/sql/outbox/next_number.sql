-- Grain: one row, the number of the next message of a kind that belongs to no phase.
SELECT coalesce(max(revision), 0) + 1 AS number
FROM ledger.out_message
WHERE campaign = $campaign AND phase = '' AND kind = $kind
