-- Grain: none. After a delivery DuckDB works with as many threads as the machine has processors.
RESET threads;
