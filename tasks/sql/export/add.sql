-- Grain: one row, a workbook about people that is being written.
INSERT INTO register.reg_export BY NAME
SELECT $path AS path, $kind AS kind, $campaign AS campaign, $recipient AS recipient,
    $subjects AS subjects, $made_at AS made_at, $remove_on AS remove_on, false AS removed,
    $password AS password;
