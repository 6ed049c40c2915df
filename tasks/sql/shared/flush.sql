-- Grain: one row a table, how many of its rows were moved out of the catalogue into files.
CALL ducklake_flush_inlined_data('shared');
