-- Grain: one row a received file. What the ledger learns of it: that it came, and whether it counts. A
-- care group's roster goes with a report and is none: a file with nothing else in it does not count.
INSERT INTO ledger.agg_submission
SELECT submission_id, campaign, phase, round, sender_village, received_at,
    accepted + unchanged > (
        SELECT count(*) FROM register.stg_care_group AS roster
        WHERE roster.submission_id = file.submission_id
            AND roster.verdict IN ('accepted', 'unchanged')),
    nil
FROM register.raw_submission AS file
ON CONFLICT (submission_id) DO UPDATE SET received_at = excluded.received_at
WHERE received_at <> excluded.received_at;
