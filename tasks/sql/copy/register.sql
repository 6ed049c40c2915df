-- Grain: one row a row of the register, in a new file.
COPY FROM DATABASE register TO fresh;
