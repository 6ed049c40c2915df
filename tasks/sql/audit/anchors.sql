-- Grain: one row a head of the trail that the ledger keeps.
SELECT position, hash FROM ledger.agg_anchor ORDER BY position;
