-- Grain: one row a completed run; the same day again takes the place of the run before.
INSERT INTO ledger.agg_run BY NAME
SELECT $campaign AS campaign, $phase AS phase, $round AS round, $as_of AS as_of,
    $revision AS revision, $now AS ran_at,
    (SELECT coalesce(max(position), 0) + 1 FROM ledger.agg_run) AS position,
    $arrived AS arrived, $followed AS followed
ON CONFLICT (campaign, phase, round, as_of) DO UPDATE SET
    revision = excluded.revision, ran_at = excluded.ran_at, position = excluded.position,
    arrived = excluded.arrived, followed = excluded.followed;
