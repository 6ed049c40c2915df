-- Grain: none. What was written ahead of the ledger goes into its file.
CHECKPOINT ledger;
