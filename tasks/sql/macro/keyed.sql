-- HMAC-SHA256 of a text with the secrets of a purpose, in keying (one row: inner and outer pad of the
-- first secret; later: those of each rotation since, which hash the digest before them again).
CREATE OR REPLACE MACRO keyed(content) AS
    CASE WHEN content IS NOT NULL THEN
        (SELECT list_reduce(
            later,
            lambda done, next: {
                'inner_pad': next.inner_pad,
                'outer_pad': next.outer_pad,
                'digest': sha256(next.outer_pad || unhex(sha256(next.inner_pad || encode(done.digest))))
            },
            {
                'inner_pad': inner_pad,
                'outer_pad': outer_pad,
                'digest': sha256(outer_pad || unhex(sha256(inner_pad || encode(content))))
            }
        ).digest FROM keying)
    END;
