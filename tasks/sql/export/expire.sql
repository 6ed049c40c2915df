-- Grain: one row a workbook about people whose time is over at $today.
UPDATE register.reg_export SET removed = true, password = NULL
WHERE NOT removed AND remove_on <= $today;
