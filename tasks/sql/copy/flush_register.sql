-- Grain: none. What was written ahead of the register goes into its file.
CHECKPOINT register;
