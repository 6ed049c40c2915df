-- Grain: one row a village and revision: its reporting state.
INSERT INTO ledger.agg_reporting BY NAME
SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision,
    village, state, nil, files, first_counted_at
FROM candidate_reporting;
