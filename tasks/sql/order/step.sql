-- Grain: one row, the step whose turn it is.
CREATE OR REPLACE TEMP TABLE late_step AS SELECT $step::INTEGER AS step;
