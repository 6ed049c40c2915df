-- Grain: one row a township figure of a released revision of any campaign: what the shelf may say of it
-- at all. Read by the gate for itself; the shelf reads its own.
SELECT campaign, phase, round, revision, name, unit, village, value, state
FROM ledger.out_figure
WHERE audience = $audience AND village = '';
