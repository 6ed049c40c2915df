-- Grain: one row, when the register's trail was last anchored; null where it never was.
SELECT max(anchored_at) AS anchored_at FROM ledger.agg_anchor;
