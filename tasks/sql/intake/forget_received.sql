-- Grain: none. The rows of {sheet} sheets as they came, of the last portion, are not kept in memory.
DROP TABLE IF EXISTS raw_{sheet};
