-- Grain: one row a row of a township's revisions that is deleted, to be put anew.
-- rows: campaign, phase, round and revision of each.
DELETE FROM shared.release
WHERE township = $township
    AND (campaign, phase, round, revision) IN (
        SELECT (each.campaign, each.phase, each.round, each.revision)
        FROM (
            SELECT unnest($rows::STRUCT(
                campaign VARCHAR, phase VARCHAR, round INTEGER, revision INTEGER
            )[]) AS each
        )
    );
