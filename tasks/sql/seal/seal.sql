-- Grain: one row, the seal of a revision about to be released, over the rows it will have. Each is
-- given the ledger's own columns, so that seal/broken makes the same lines of what is there later.
INSERT OR REPLACE INTO register.reg_seal
WITH released AS (
    (FROM ledger.out_revision LIMIT 0)
    UNION ALL BY NAME
    SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision,
        $as_of AS as_of, $due AS due, $due_provisional AS due_provisional, $period AS period,
        $status AS status, $content AS content, $now AS created_at
),
figure AS (
    (FROM ledger.out_figure LIMIT 0)
    UNION ALL BY NAME
    SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision, *
    FROM candidate_figure
),
checked AS (
    (FROM ledger.out_check LIMIT 0)
    UNION ALL BY NAME
    SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision, *
    FROM candidate_check
),
reporting AS (
    (FROM ledger.agg_reporting LIMIT 0)
    UNION ALL BY NAME
    SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision, *
    FROM candidate_reporting
),
todo AS (
    (FROM ledger.agg_action LIMIT 0)
    UNION ALL BY NAME
    SELECT $campaign AS campaign, $round AS round, $revision AS revision, * FROM candidate_action
),
kept AS (
    SELECT 'out_revision' || to_json(entry) AS line FROM released AS entry
    UNION ALL
    SELECT 'out_figure' || to_json(entry) FROM figure AS entry
    UNION ALL
    SELECT 'out_check' || to_json(entry) FROM checked AS entry
    UNION ALL
    SELECT 'agg_reporting' || to_json(entry) FROM reporting AS entry
    UNION ALL
    SELECT 'agg_action' || to_json(entry) FROM todo AS entry
)
SELECT $campaign, $phase, $round, $revision,
    sha256($outer || unhex(sha256($inner || encode(string_agg(line, chr(10) ORDER BY line))))),
    false
FROM kept;
