-- Whether an optional cell is blank or holds its rule.
CREATE OR REPLACE MACRO blank_or(cell, holds) AS cell IS NULL OR coalesce(holds, false);
