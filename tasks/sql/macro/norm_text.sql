-- A cell as it is compared: half width, single spaces, none at the ends; null where blank.
-- Most cells hold nothing to replace; translate is slow, so it is spared them.
CREATE OR REPLACE MACRO norm_text(cell) AS
    nullif(CASE WHEN regexp_matches(cell, '[^!-~\x{4E00}-\x{9FFF}]')
        THEN trim(regexp_replace(translate(cell,
        '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～　 ',
        '!"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~  '),
        '\s+', ' ', 'g'))
        ELSE cell END, '');
