-- Grain: one row a message of a revision that a newer one replaces before any server took it.
DELETE FROM ledger.out_message
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision < $revision
    AND kind = $kind AND state IN ('draft', 'ready')
