-- Grain: one row a village whose reporting state is about to be recorded.
CREATE OR REPLACE TEMP VIEW check_agg_reporting AS SELECT * FROM candidate_reporting;
