-- Grain: one row a figure of a released revision. The one door through which figures enter the ledger.
INSERT INTO ledger.out_figure BY NAME
SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision,
    audience, position, name, unit, village, value, state
FROM candidate_figure;
