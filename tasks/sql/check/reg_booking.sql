-- Grain: one row a booking. Of one session there may be more than its seats: a seat whose holder left
-- the queue is given again, and the booking before stays as history.
CREATE OR REPLACE TEMP VIEW check_reg_booking AS
SELECT * FROM register.reg_booking WHERE campaign = getvariable('check_scope').campaign;
