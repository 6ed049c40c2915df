-- Grain: one row a person of the queue.
CREATE OR REPLACE TEMP VIEW check_reg_queue AS
SELECT * FROM register.reg_queue WHERE campaign = getvariable('check_scope').campaign;
