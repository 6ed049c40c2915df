-- Grain: one row, the snapshot of the shared ledger to read: the one asked for, or the newest.
-- Snapshots before the table was made (schema_version 0) hold nothing to read. taken_at: UTC.
SELECT snapshot_id, make_timestamp(epoch_us(snapshot_time)) AS taken_at
FROM ducklake_snapshots('shared')
WHERE schema_version > 0 AND ($snapshot IS NULL OR snapshot_id = $snapshot)
ORDER BY snapshot_id DESC
LIMIT 1;
