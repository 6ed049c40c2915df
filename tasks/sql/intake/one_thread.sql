-- Grain: none. While workbooks are taken in, DuckDB works with one thread: a portion is a part of a row
-- group, and the reading process needs the other processor.
SET threads = 1;
