-- Grain: one row, a due day as people are told of it from now on.
INSERT INTO ledger.agg_deadline BY NAME
SELECT $campaign AS campaign, $phase AS phase, $round AS round, $position AS position, $due AS due,
    $provisional AS provisional, $now AS noted_at;
