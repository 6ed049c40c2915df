-- Grain: one row a release that these townships shared, each text with its signature once, by when
-- it was shared first. A text longer than any release is not read. shared_at: UTC.
CREATE OR REPLACE TABLE arrived AS
SELECT
    row_number() OVER (ORDER BY township, phase, round, revision, signature, shared_at, body)
        AS row_no,
    *
FROM (
    SELECT
        coalesce(township, '') AS township,
        campaign,
        phase,
        round,
        revision,
        CASE WHEN strlen(body) <= $longest THEN body END AS body,
        signature,
        make_timestamp(epoch_us(min(shared_at))) AS shared_at
    FROM shared.release AT (VERSION => $snapshot)
    WHERE campaign = $campaign
        AND coalesce(township, '') IN (SELECT unnest($townships::VARCHAR[]))
    GROUP BY ALL
);
