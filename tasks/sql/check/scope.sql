-- What the check views look at: one campaign, phase and round. Set before a suite runs.
SET VARIABLE check_scope = {'campaign': $campaign, 'phase': $phase, 'round': $round, 'revision': $revision};
