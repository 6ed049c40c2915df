-- Grain: one row a sheet that senders out of order have said something on.
SELECT DISTINCT said.sheet
FROM register.reg_said AS said
JOIN register.raw_submission AS file USING (submission_id)
JOIN late_series USING (campaign, phase, round, sender_village)
ORDER BY said.sheet;
