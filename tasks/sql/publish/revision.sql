-- Grain: one row a released revision.
INSERT INTO ledger.out_revision BY NAME
SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision,
    $as_of AS as_of, $due AS due, $due_provisional AS due_provisional, $period AS period,
    $status AS status, $content AS content, $now AS created_at;
