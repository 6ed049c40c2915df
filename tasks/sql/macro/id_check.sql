-- Whether 18 signs are a resident ID number: form and check digit (GB 11643-1999).
CREATE OR REPLACE MACRO id_check(id) AS
    CASE WHEN regexp_full_match(id, '[1-9]\d{16}[0-9X]') THEN
        '10X98765432'[1 + (
        (ascii(id[1]) - 48) * 7
        + (ascii(id[2]) - 48) * 9
        + (ascii(id[3]) - 48) * 10
        + (ascii(id[4]) - 48) * 5
        + (ascii(id[5]) - 48) * 8
        + (ascii(id[6]) - 48) * 4
        + (ascii(id[7]) - 48) * 2
        + (ascii(id[8]) - 48) * 1
        + (ascii(id[9]) - 48) * 6
        + (ascii(id[10]) - 48) * 3
        + (ascii(id[11]) - 48) * 7
        + (ascii(id[12]) - 48) * 9
        + (ascii(id[13]) - 48) * 10
        + (ascii(id[14]) - 48) * 5
        + (ascii(id[15]) - 48) * 8
        + (ascii(id[16]) - 48) * 4
        + (ascii(id[17]) - 48) * 2) % 11] = id[18]
    ELSE false END;
