-- Grain: one row a booking, with how many stand in its session.
CREATE OR REPLACE TEMP VIEW check_reg_booking AS
SELECT *, count(*) OVER (PARTITION BY session_date) AS booked
FROM register.reg_booking WHERE campaign = getvariable('check_scope').campaign;
