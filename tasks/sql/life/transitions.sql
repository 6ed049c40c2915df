-- Grain: one row a state that a phase and round of a campaign came into, each round's newest last.
SELECT phase, round, state, on_day, entered_at, entered_by, reason, until
FROM ledger.agg_transition
WHERE campaign = $campaign
ORDER BY phase, round, position;
