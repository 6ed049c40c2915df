-- Grain: one row a decision on a message that was stuck.
INSERT INTO ledger.out_resolution BY NAME
SELECT
    message_id,
    1 + (SELECT count(*) FROM ledger.out_resolution AS each WHERE each.message_id = stuck.message_id)
        AS number,
    state AS was,
    $decision AS decision,
    $by AS decided_by,
    $reason AS reason,
    $now AS decided_at,
    coalesce(
        (SELECT max(attempt) FROM ledger.out_attempt AS each WHERE each.message_id = stuck.message_id),
        0
    ) AS after_attempt
FROM ledger.out_message AS stuck
WHERE message_id IN (SELECT unnest($message_ids::VARCHAR[]))
