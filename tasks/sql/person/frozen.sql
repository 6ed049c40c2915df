-- Grain: one row: the last day on which the newest of these frozen records is kept.
SELECT max(keep_until) FROM register.reg_frozen WHERE list_contains($numbers, register_no);
