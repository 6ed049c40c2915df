-- Grain: one row a suite that ran before a revision was released.
INSERT INTO ledger.out_check BY NAME
SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision,
    suite, expectations, held
FROM candidate_check;
