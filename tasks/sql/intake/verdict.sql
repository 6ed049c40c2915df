-- Grain: one row a row of a received {sheet} sheet, with its one verdict and the row it replaces.
-- Order: no consent, a broken rule, the same person or key earlier in this file, equal to what is
-- already accepted from this village for this round, accepted.
-- Two rows are the same when the later one came with the number under which the other was sent back
-- (reg_return) and can be that one corrected (same_{sheet}), else when their row_key is, or when their
-- alt_key is and one of them has no stronger key (a person with an ID in one row and without in the
-- other). A number that was accepted once and comes with somebody else was written over: it means
-- nothing, and who came with it stands for himself.
-- A kept row is replaced by one row at most: two people of one name, whose IDs a correction adds,
-- must not both take the place, and the reference, of the one row that was kept without an ID.
CREATE OR REPLACE TEMP TABLE verdict_{sheet} AS
WITH eligible AS (
    SELECT * EXCLUDE (said) FROM turn_{sheet} WHERE has_consent AND NOT is_broken
),
repeated AS (
    SELECT submission_id, row_number
    FROM eligible
    QUALIFY row_number > min(row_number) OVER (PARTITION BY submission_id, row_key)
        OR (alt_key IS NOT NULL AND row_number > CASE
            WHEN row_key = alt_key
                THEN min(row_number) OVER (PARTITION BY submission_id, alt_key)
            ELSE min(row_number) FILTER (WHERE row_key = alt_key)
                OVER (PARTITION BY submission_id, alt_key) END)
),
kept AS (
    SELECT
        submission_id AS old_submission, row_number AS old_row, row_key AS old_key,
        alt_key AS old_alt, content_hash AS old_content, first_received_at AS old_first,
        campaign, phase, round, sender_village
    FROM register.stg_{sheet}
    SEMI JOIN turn_{sheet} USING (campaign, phase, round, sender_village)
    WHERE is_current
),
-- every row of the same sender and round that bore the number before, with the key under which what
-- it said was accepted
sent AS (
    SELECT
        eligible.submission_id, eligible.row_number, eligible.campaign, eligible.phase,
        eligible.round, eligible.sender_village, numbered.received_at,
        numbered.held_submission, numbered.held_row, held.row_key AS held_key
    FROM eligible
    JOIN numbered_{sheet} AS numbered
        USING (return_id, campaign, phase, round, sender_village)
    LEFT JOIN register.stg_{sheet} AS held
        ON held.submission_id = numbered.held_submission AND held.row_number = numbered.held_row
),
-- a number that was sent back and never accepted: what it said is not known, only when it came
sent_first AS (
    SELECT submission_id, row_number, min(received_at) AS sent_at
    FROM sent
    GROUP BY submission_id, row_number
    HAVING count(held_submission) = 0
),
matched AS (
    -- the row that stands where the number's was accepted, or that came in its place without it; not
    -- compared by the sender of turn, or all rows of a sender are joined with all that stand
    SELECT
        sent.submission_id, sent.row_number, kept.*,
        if(kept.old_submission = sent.held_submission AND kept.old_row = sent.held_row, 0, 1)
            AS strength
    FROM sent
    JOIN kept
        ON kept.old_key = sent.held_key AND kept.campaign = sent.campaign
        AND kept.phase = sent.phase AND kept.round = sent.round
        AND kept.sender_village = sent.sender_village
    JOIN turn_{sheet} AS turn
        ON turn.submission_id = sent.submission_id AND turn.row_number = sent.row_number
    JOIN register.stg_{sheet} AS stored
        ON stored.submission_id = kept.old_submission AND stored.row_number = kept.old_row
    WHERE same_{sheet}(stored, turn.said)
    UNION ALL
    SELECT eligible.submission_id, eligible.row_number, kept.*, 2
    FROM eligible JOIN kept
        ON eligible.row_key = kept.old_key AND eligible.campaign = kept.campaign
        AND eligible.phase = kept.phase AND eligible.round = kept.round
        AND eligible.sender_village = kept.sender_village
    UNION ALL
    SELECT eligible.submission_id, eligible.row_number, kept.*, 3
    FROM eligible JOIN kept
        ON eligible.alt_key = kept.old_alt AND eligible.campaign = kept.campaign
        AND eligible.phase = kept.phase AND eligible.round = kept.round
        AND eligible.sender_village = kept.sender_village
        AND (eligible.row_key = eligible.alt_key OR kept.old_key = kept.old_alt)
),
nearest AS (
    SELECT *
    FROM matched ANTI JOIN repeated USING (submission_id, row_number)
    QUALIFY row_number() OVER (
        PARTITION BY submission_id, row_number ORDER BY strength, old_submission, old_row) = 1
),
known AS (
    SELECT
        submission_id, row_number, old_submission, old_row, old_key, old_alt, old_content, old_first
    FROM nearest
    QUALIFY row_number() OVER (
        PARTITION BY old_submission, old_row ORDER BY strength, submission_id, row_number) = 1
)
SELECT
    turn.submission_id,
    turn.row_number,
    CASE
        WHEN NOT turn.has_consent THEN 'no_consent'
        WHEN turn.is_broken THEN 'returned'
        WHEN repeated.row_number IS NOT NULL THEN 'duplicate'
        -- the very same file again changes nothing, even where a correction came in between
        WHEN turn.is_known OR (
            known.old_content = turn.content_hash AND known.old_key = turn.row_key
            AND known.old_alt IS NOT DISTINCT FROM turn.alt_key) THEN 'unchanged'
        ELSE 'accepted'
    END AS verdict,
    known.old_submission,
    known.old_row,
    least(known.old_first, sent_first.sent_at, turn.received_at) AS first_said
FROM turn_{sheet} AS turn
LEFT JOIN repeated USING (submission_id, row_number)
LEFT JOIN known USING (submission_id, row_number)
LEFT JOIN sent_first USING (submission_id, row_number);
