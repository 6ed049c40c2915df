-- Grain: one row. How many files were taken in from a moment on, and how many of them had rows that
-- went back: of files, never of rows, which may be people.
SELECT count(*), count(*) FILTER (returned > 0)
FROM register.raw_submission
WHERE recorded_at >= $since
