-- Whether a row says that somebody agreed: by whom, when and to what are there, and it is no refusal.
CREATE OR REPLACE MACRO consent_given(by_whom, on_day, to_what) AS
    by_whom IS NOT NULL AND on_day IS NOT NULL AND to_what IS NOT NULL
    AND lower(by_whom) NOT IN ('不同意', '拒绝', '否', '无', 'no', 'none', 'refused');
