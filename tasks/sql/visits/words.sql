-- Grain: one row a time the standing register named a person: the last visit it knew of. is_first: it knew
-- of it when it named the person first (of somebody enrolled here, when they were diagnosed). is_news: a
-- visit made since then, which no later word corrects; a word that names a day up to when the one before
-- it came is a correction of that one.
CREATE OR REPLACE TEMP TABLE register_word AS
WITH said AS (
    SELECT
        entry.register_no, version.last_visited_on, version.stability,
        version.received_at, version.submission_id, version.row_number,
        if(
            entry.source = 'assessment',
            entry.confirmed_on,
            min(version.received_at) OVER (PARTITION BY entry.register_no)::DATE) AS first_on,
        min(version.last_visited_on) OVER (
            PARTITION BY entry.register_no ORDER BY version.received_at, version.submission_id
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS said_later
    FROM register.reg_registered AS entry
    JOIN register.stg_registered_person AS version ON version.register_no = entry.register_no
    WHERE version.verdict = 'accepted'
)
SELECT
    register_no, last_visited_on, stability, received_at, submission_id, row_number,
    coalesce(last_visited_on <= first_on, false) AS is_first,
    coalesce(last_visited_on > first_on, false)
        AND coalesce(said_later > received_at::DATE, true) AS is_news
FROM said;
