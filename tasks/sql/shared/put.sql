-- Grain: one row a signed revision of a township that is shared. shared_at: UTC without a zone.
INSERT INTO shared.release
SELECT
    $township,
    each.campaign,
    each.phase,
    each.round,
    each.revision,
    each.body,
    each.signature,
    each.shared_at AT TIME ZONE 'UTC'
FROM (
    SELECT unnest($rows::STRUCT(
        campaign VARCHAR, phase VARCHAR, round INTEGER, revision INTEGER,
        body VARCHAR, signature VARCHAR, shared_at TIMESTAMP
    )[]) AS each
);
