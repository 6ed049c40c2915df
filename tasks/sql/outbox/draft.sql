-- Grain: one row a recipient of a revision or of a notice. The key is unique: a second run adds
-- nothing, and a notice ($body) is not added that says the same as one of the day or one that waits.
-- message_id is made of the key alone, so the same message keeps its Message-ID whatever happens;
-- .invalid is reserved (RFC 2606), so it can never be somebody's address.
INSERT INTO ledger.out_message BY NAME
SELECT
    '<' || left(sha256(concat_ws('|', $campaign, $phase, $round, $revision, listed.recipient, $kind)), 32)
        || '@campaign.invalid>' AS message_id,
    $campaign AS campaign,
    $phase AS phase,
    $round AS round,
    $revision AS revision,
    $audience AS audience,
    listed.recipient,
    $kind AS kind,
    $subject AS subject,
    $report AS report,
    $body AS body,
    'draft' AS state,
    $now AS changed_at
FROM (SELECT unnest($recipients::VARCHAR[]) AS recipient) AS listed
WHERE NOT EXISTS (
    SELECT 1
    FROM ledger.out_message AS told
    WHERE told.campaign = $campaign AND told.kind = $kind AND told.recipient = listed.recipient
        AND told.subject = $subject AND told.body = $body
        AND (told.state IN ('draft', 'ready') OR told.changed_at::DATE = $now::DATE)
)
ON CONFLICT DO NOTHING
