-- Grain: one row a township, phase and round, as `standing` has it.
SELECT
    township,
    phase,
    round,
    newest.revision AS revision,
    newest.period AS period,
    newest.status AS status,
    newest.due AS due,
    first_due,
    first_shared_at,
    set_aside
FROM standing
ORDER BY township, phase, round;
