-- Grain: one row, the number of steps.
SELECT coalesce(max(step), 0) FROM late_{sheet};
