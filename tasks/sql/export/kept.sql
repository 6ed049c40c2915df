-- Grain: one row a workbook about people that is still there.
SELECT path FROM register.reg_export WHERE NOT removed;
