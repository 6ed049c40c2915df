-- Grain: one row an entry of the trail about a reference, of somebody and since a day; null asks for
-- all. The last one last.
SELECT position, entered_at, who, what, why, campaign, subjects
FROM register.reg_trail
WHERE ($subject IS NULL OR list_contains(subjects, $subject))
    AND ($who IS NULL OR who = $who)
    AND ($since IS NULL OR entered_at >= $since::DATE)
ORDER BY position;
