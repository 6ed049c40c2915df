-- Grain: none. While a delivery is taken in, DuckDB works with one thread: a portion is one row group,
-- which one thread scans; others cost memory, and the processor that the reading process needs.
SET threads = 1;
