-- Grain: one row a row of the ledger, in a new file.
COPY FROM DATABASE ledger TO fresh;
