-- Grain: one row a person of the queue: whether the wait has ended, and how.
CREATE OR REPLACE TEMP TABLE queue_state AS
SELECT DISTINCT
    member.person_ref,
    member.care_setting,
    member.urgency,
    member.waiting_since,
    told.last_on,
    told.attended_on,
    CASE
        WHEN member.withdrawn THEN 'withdrawn'
        WHEN list_contains($ending, told.decided.outcome) THEN told.decided.outcome
    END AS ended
FROM queue_member AS member
LEFT JOIN queue_outcome AS told ON told.person_ref = member.person_ref;
