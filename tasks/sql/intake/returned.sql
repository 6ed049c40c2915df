-- Grain: one row a returned row: which rules it breaks, the number it goes back with, and whether its
-- cells may be shown: not where its consent does not hold, and not of somebody under age, of whom
-- nothing is kept.
SELECT
    submission_id, row_number, staged.failed_rules, return_id,
    NOT list_has_any(staged.failed_rules, ['consent_by_valid', 'consent_date_valid',
        'consent_scope_valid', 'consent_covers_management', 'adult']) AS may_show
FROM staged_{sheet} AS staged
JOIN verdict_{sheet} AS verdict USING (submission_id, row_number)
JOIN return_{sheet} USING (submission_id, row_number)
WHERE verdict.verdict = 'returned'
ORDER BY submission_id, row_number;
