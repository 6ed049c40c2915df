-- Whether a cell holds what a formula shows that failed, or was saved without its result.
CREATE OR REPLACE MACRO is_error(cell) AS regexp_full_match(cell, '#[A-Z0-9/_]{2,12}[!?]?|Err:\d{3}');
