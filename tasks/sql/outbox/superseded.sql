-- Grain: one row a draft of a revision that a newer one replaces before anybody was sent it.
DELETE FROM ledger.out_message
WHERE campaign = $campaign AND phase = $phase AND round = $round AND revision < $revision
    AND kind = $kind AND state = 'draft';
