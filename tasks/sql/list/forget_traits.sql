-- Grain: none. What all records were compared by is not kept in memory.
DROP TABLE IF EXISTS list_trait;
