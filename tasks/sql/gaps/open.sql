-- Grain: one row a service gap that is opened (gap_opening).
INSERT INTO register.reg_gap BY NAME FROM gap_opening;
