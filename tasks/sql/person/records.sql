-- Grain: one row a record about the person: what was held, what was frozen, and what was done with it.
-- Shows people: the health side's terminal only.
SELECT "table", came, record::VARCHAR AS record FROM person_held
UNION ALL
SELECT 'reg_frozen', frozen.frozen_on, to_json(frozen)::VARCHAR
FROM (SELECT * EXCLUDE (records) FROM register.reg_frozen) AS frozen
JOIN subject_registered USING (register_no)
UNION ALL
SELECT kept.record->>'table', frozen.frozen_on, (kept.record->'record')::VARCHAR
FROM register.reg_frozen AS frozen
JOIN subject_registered USING (register_no),
    unnest(from_json(frozen.records, '["JSON"]')) AS kept (record)
UNION ALL
SELECT 'reg_export', export.made_at, to_json(export)::VARCHAR
FROM (SELECT * EXCLUDE (password) FROM register.reg_export) AS export
WHERE list_has_any(export.subjects, $refs)
UNION ALL
SELECT 'reg_trail', entry.entered_at, to_json(entry)::VARCHAR
FROM (SELECT position, entered_at, who, what, why, campaign, subjects FROM register.reg_trail) AS entry
WHERE list_has_any(entry.subjects, $refs)
ORDER BY "table", came, record;
