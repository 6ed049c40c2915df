-- Grain: one row a row of a received {sheet} sheet that goes back with a number or came with one.
INSERT INTO register.reg_return
SELECT numbered.submission_id, '{sheet}', numbered.row_number, numbered.return_id
FROM return_{sheet} AS numbered
JOIN arrived USING (submission_id);
