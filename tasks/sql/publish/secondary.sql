-- Grain: one row a figure that is withheld to protect another one.
INSERT OR REPLACE INTO register.reg_secondary
SELECT $campaign, $phase, $round, $revision, name, village FROM candidate_secondary;
