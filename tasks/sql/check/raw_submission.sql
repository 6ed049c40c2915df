-- Grain: one row a file of this phase and round.
CREATE OR REPLACE TEMP VIEW check_raw_submission AS
SELECT * FROM register.raw_submission
WHERE campaign = getvariable('check_scope').campaign
    AND phase = getvariable('check_scope').phase
    AND round = getvariable('check_scope').round;
