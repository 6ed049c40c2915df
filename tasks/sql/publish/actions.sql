-- Grain: one row a thing to do of a village's month.
INSERT INTO ledger.agg_action BY NAME
SELECT $campaign AS campaign, $round AS round, $revision AS revision, village, position, action
FROM candidate_action;
