-- HMAC-SHA256 of a text with the secrets of a purpose, in keying (one row: inner and outer pad of the
-- first secret; later: those of each rotation since, which hash the digest before them again).
-- Each subquery stands alone, so it is answered once and not once a text; and before the first rotation
-- there is nothing to go through.
CREATE OR REPLACE MACRO keyed(content) AS
    CASE
        WHEN content IS NULL THEN NULL
        WHEN (SELECT len(later) FROM keying) = 0 THEN
            sha256((SELECT outer_pad FROM keying)
                || unhex(sha256((SELECT inner_pad FROM keying) || encode(content))))
        ELSE list_reduce(
            (SELECT later FROM keying),
            lambda done, next: {
                'inner_pad': next.inner_pad,
                'outer_pad': next.outer_pad,
                'digest': sha256(next.outer_pad || unhex(sha256(next.inner_pad || encode(done.digest))))
            },
            {
                'inner_pad': NULL::BLOB,
                'outer_pad': NULL::BLOB,
                'digest': sha256((SELECT outer_pad FROM keying)
                    || unhex(sha256((SELECT inner_pad FROM keying) || encode(content))))
            }
        ).digest
    END;
