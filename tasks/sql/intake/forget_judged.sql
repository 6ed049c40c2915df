-- Grain: none. The typed rows of {sheet} sheets of the last portion are not kept in memory.
DROP TABLE IF EXISTS staged_{sheet};
