-- Grain: one row an entry of the trail, behind the last one.
INSERT INTO register.reg_trail BY NAME
SELECT (SELECT coalesce(max(position), 0) + 1 FROM register.reg_trail) AS position, $entered_at AS entered_at,
    $who AS who, $what AS what, $why AS why, $campaign AS campaign, $subjects AS subjects,
    '' AS previous, '' AS hash;
