-- Grain: one row a count of people in a revision about to be released; a crashed try is overwritten.
INSERT OR REPLACE INTO register.reg_released_count BY NAME
SELECT $campaign AS campaign, $phase AS phase, $round AS round, $revision AS revision,
    name, village, exact, secondary, withhold_to, round_to
FROM candidate_count;
