-- Grain: one row a reminder of a campaign that still waited to be handed over, and is no more: what is
-- still true of it is written anew.
DELETE FROM ledger.out_message
WHERE campaign = $campaign AND list_contains($kinds, kind) AND state IN ('draft', 'ready')
RETURNING phase, round, revision AS number, recipient, kind;
