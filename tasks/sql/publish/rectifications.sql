-- Grain: one row a rectification of the campaign, as it stands after the newest look.
INSERT OR REPLACE INTO ledger.agg_rectification BY NAME
SELECT $campaign AS campaign, village, shortfall, opened_round, opened_on, due, due_provisional,
    closed_round, closed_on
FROM candidate_rectification;
