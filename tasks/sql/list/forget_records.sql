-- Grain: none. The records that a list was compiled from are not kept in memory.
DROP TABLE IF EXISTS list_node;
