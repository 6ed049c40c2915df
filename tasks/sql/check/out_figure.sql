-- Grain: one row a figure about to be released.
CREATE OR REPLACE TEMP VIEW check_out_figure AS SELECT * FROM candidate_figure;
