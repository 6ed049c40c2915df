-- Grain: none. After a delivery the files are put in order as often as DuckDB usually does.
RESET checkpoint_threshold;
