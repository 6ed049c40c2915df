-- Grain: none. While workbooks are taken in, DuckDB works with one thread: the reading process needs the
-- other processor.
SET threads = 1;
