-- Grain: one row a follow-up visit that stands and met the person, or found that the person had died:
-- what a visit before or after it is compared with.
CREATE OR REPLACE TABLE ref_visited AS
SELECT
    register_no, visited_on, campaign, phase, round, sender_village,
    coalesce(lost_reason = 'died', false) AS died
FROM register.stg_follow_up
WHERE is_current AND (
    lost_reason = 'died'
    OR (seen = 'person' AND coalesce(lost_reason NOT IN ('declined', 'moved', 'transferred'), true)));
