-- Grain: one row a row of a received {sheet} sheet. Values only of accepted rows. What was added to the
-- verdicts of one sheet only (intake/referral_ref) comes along.
INSERT INTO register.stg_{sheet} BY NAME
WITH staged AS MATERIALIZED (FROM staged_{sheet})
SELECT
    arrived.submission_id,
    arrived.campaign,
    arrived.phase,
    arrived.round,
    arrived.sender_village,
    staged.row_number,
    arrived.received_at,
    verdict.verdict,
    staged.failed_rules,
    CASE WHEN verdict.verdict = 'accepted' THEN staged.row_key END AS row_key,
    CASE WHEN verdict.verdict = 'accepted' THEN staged.alt_key END AS alt_key,
    CASE WHEN verdict.verdict = 'accepted' THEN staged.content_hash END AS content_hash,
    verdict.verdict = 'accepted' AS is_current,
    CASE WHEN verdict.verdict = 'accepted' THEN verdict.first_said END AS first_received_at,
    verdict.* EXCLUDE (submission_id, row_number, verdict, old_submission, old_row, first_said),
    unnest(CASE WHEN verdict.verdict = 'accepted' THEN staged.typed END),
    unnest(staged.rules)
FROM staged
JOIN verdict_{sheet} AS verdict USING (submission_id, row_number)
JOIN arrived USING (submission_id);
