-- Grain: one row a received row of this campaign's {sheet} sheets; of one round for a phase with rounds.
CREATE OR REPLACE TEMP VIEW check_stg_{sheet} AS
SELECT * FROM register.stg_{sheet}
WHERE campaign = getvariable('check_scope').campaign
    AND (phase <> getvariable('check_scope').phase
        OR round = getvariable('check_scope').round);
