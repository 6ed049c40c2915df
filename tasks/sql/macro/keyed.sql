-- HMAC-SHA256 of a text with the secret and purpose in keying (one row: inner and outer pad).
CREATE OR REPLACE MACRO keyed(content) AS
    CASE WHEN content IS NOT NULL THEN
        (SELECT sha256(outer_pad || unhex(sha256(inner_pad || encode(content)))) FROM keying)
    END;
