-- Grain: one row a received file with what became of its rows.
INSERT INTO register.raw_submission BY NAME
SELECT
    arrived.submission_id, campaign, phase, round, sender_village, template, sheets, rows_read,
    coalesce(count_.accepted, 0) AS accepted,
    coalesce(count_.returned, 0) AS returned,
    coalesce(count_.duplicate, 0) AS duplicate,
    coalesce(count_.unchanged, 0) AS unchanged,
    coalesce(count_.no_consent, 0) AS no_consent,
    nil, received_at, recorded_at
FROM arrived
LEFT JOIN (
    SELECT
        submission_id,
        sum(rows) FILTER (WHERE verdict = 'accepted') AS accepted,
        sum(rows) FILTER (WHERE verdict = 'returned') AS returned,
        sum(rows) FILTER (WHERE verdict = 'duplicate') AS duplicate,
        sum(rows) FILTER (WHERE verdict = 'unchanged') AS unchanged,
        sum(rows) FILTER (WHERE verdict = 'no_consent') AS no_consent
    FROM verdict_count
    GROUP BY submission_id
) AS count_ USING (submission_id);
