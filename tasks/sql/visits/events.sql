-- Grain: one row a person of visit_person, day and place: what a follow-up row says of the visit that is
-- owed, up to $as_of. kind: made, declined, moved, transferred, died, or tried (nobody was met). place:
-- within a day an attempt comes first, then a visit, then what ends visits, then death. counts: it comes
-- after the last visit that the register's own word knows of. is_away: the person had moved or was
-- transferred before. A hand-over to another health centre is a transfer on its day; a later visit that a
-- register sent again knows of is a visit, unless a row tells more of that day.
CREATE OR REPLACE TEMP TABLE visit_event AS
WITH
said AS (
    SELECT
        register_no, visited_on AS day, entered_on, received_at, submission_id, row_number,
        seen, mode, stability, rating,
        CASE
            WHEN lost_reason IN ('declined', 'moved', 'transferred', 'died') THEN lost_reason
            WHEN list_contains($seen, seen) THEN 'made'
            WHEN seen = 'nobody' THEN 'tried'
        END AS kind,
        false AS is_word
    FROM register.stg_follow_up
    WHERE is_current AND visited_on <= $as_of
    UNION ALL BY NAME
    SELECT
        register_no, last_visited_on AS day, received_at, submission_id, row_number,
        'person' AS seen, stability, 'made' AS kind, true AS is_word
    FROM register_word
    WHERE is_news AND last_visited_on <= $as_of
    UNION ALL BY NAME
    SELECT
        unnest(subjects) AS register_no, made_at::DATE AS day, made_at AS received_at,
        path AS submission_id, 'transferred' AS kind, false AS is_word
    FROM register.reg_export
    WHERE kind = 'handover' AND made_at::DATE <= $as_of
),
counted AS (
    SELECT
        said.* EXCLUDE (stability, rating),
        if(kind = 'made', said.stability, NULL) AS stability,
        if(kind = 'made', said.rating, NULL) AS rating,
        kind = 'made' AND coalesce(seen = 'person', false) AS met_person,
        CASE kind WHEN 'tried' THEN 0 WHEN 'died' THEN 3 WHEN 'moved' THEN 2
            WHEN 'transferred' THEN 2 ELSE 1 END AS place,
        day > person.since OR (day = person.since AND place > 1) AS counts
    FROM said
    JOIN visit_person AS person ON person.register_no = said.register_no
    WHERE kind IS NOT NULL
        AND coalesce(day <= person.died_on, true)
    QUALIFY row_number() OVER (
        PARTITION BY said.register_no, day, place
        ORDER BY is_word, kind = 'made' DESC, received_at DESC, submission_id, row_number
    ) = 1
)
SELECT
    register_no, day, place, kind, entered_on, stability, rating, met_person, counts,
    met_person AND coalesce(mode IN ('home', 'clinic'), false) AS face_to_face,
    coalesce(last_value(
        CASE WHEN NOT counts THEN NULL WHEN place > 1 THEN true WHEN met_person THEN false END
        IGNORE NULLS
    ) OVER (
        PARTITION BY register_no ORDER BY day, place
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), false) AS is_away
FROM counted;
