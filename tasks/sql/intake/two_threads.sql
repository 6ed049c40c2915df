-- Grain: none. While text files are taken in, DuckDB works with two threads, however many processors
-- there are: each takes memory, and what was not judged yet is never put aside on a disk.
SET threads = 2;
