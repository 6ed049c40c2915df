-- Grain: the one service gap whose owner, next step or due day is changed; null leaves one as it is.
UPDATE register.reg_gap
SET owner = coalesce($owner, owner), next_step = coalesce($next_step, next_step),
    due_on = coalesce($due_on, due_on)
WHERE gap_id = $gap_id;
