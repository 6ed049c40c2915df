-- Grain: one row a recipient who was told none of these words today, and whom none of them wait for.
SELECT listed.recipient
FROM (SELECT unnest($recipients::VARCHAR[]) AS recipient) AS listed
WHERE NOT EXISTS (
    SELECT 1
    FROM ledger.out_message AS told
    WHERE told.campaign = $campaign AND told.kind = $kind AND told.recipient = listed.recipient
        AND told.subject = $subject AND told.body = $body
        AND (told.state IN ('draft', 'ready') OR told.changed_at::DATE = $now::DATE)
)
