-- Grain: one row a revision whose rows in the ledger are not those that were sealed: changed since,
-- vanished, or added by somebody else. A line of a row is its table and its columns as JSON.
WITH kept AS (
    SELECT campaign, phase, round, revision, 'out_revision' || to_json(entry) AS line
    FROM ledger.out_revision AS entry
    UNION ALL
    SELECT campaign, phase, round, revision, 'out_figure' || to_json(entry)
    FROM ledger.out_figure AS entry
    UNION ALL
    SELECT campaign, phase, round, revision, 'out_check' || to_json(entry)
    FROM ledger.out_check AS entry
    UNION ALL
    SELECT campaign, phase, round, revision, 'agg_reporting' || to_json(entry)
    FROM ledger.agg_reporting AS entry
    UNION ALL
    -- things to do have no phase of their own: only supervision makes them
    SELECT campaign, 'supervision', round, revision, 'agg_action' || to_json(entry)
    FROM ledger.agg_action AS entry
),
found AS (
    SELECT campaign, phase, round, revision,
        sha256($outer || unhex(sha256($inner || encode(string_agg(line, chr(10) ORDER BY line)))))
            AS seal
    FROM kept
    GROUP BY campaign, phase, round, revision
)
SELECT campaign, phase, round, revision,
    CASE
        WHEN sealed.seal IS NULL THEN 'added'
        WHEN found.seal IS NULL THEN 'vanished'
        ELSE 'changed'
    END AS what
FROM found
FULL JOIN register.reg_seal AS sealed USING (campaign, phase, round, revision)
WHERE found.seal IS DISTINCT FROM sealed.seal AND (found.seal IS NOT NULL OR sealed.released)
ORDER BY campaign, phase, round, revision;
