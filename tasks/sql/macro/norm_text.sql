-- A cell as it is compared: half width, single spaces, none at the ends; null where blank.
-- Most cells hold nothing to replace, and most of the others a comma or spaces. translate reads its two
-- lists anew for each cell, so it is left those that need it.
CREATE OR REPLACE MACRO norm_text(cell) AS
    nullif(CASE
        WHEN NOT regexp_matches(cell, '[^!-~\x{4E00}-\x{9FFF}]') THEN cell
        WHEN NOT regexp_matches(replace(cell, '，', ','), '[\x{FF01}-\x{FF5E}\x{3000}\x{A0}]')
            THEN trim(regexp_replace(replace(cell, '，', ','), '\s+', ' ', 'g'))
        ELSE trim(regexp_replace(translate(cell,
        '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～　 ',
        '!"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~  '),
        '\s+', ' ', 'g')) END, '');
