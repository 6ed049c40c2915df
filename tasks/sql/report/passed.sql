-- Grain: one row a kind as which a text passed the gate for a revision.
SELECT kind
FROM ledger.out_part
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision = $revision
    AND sha256 = $sha256
