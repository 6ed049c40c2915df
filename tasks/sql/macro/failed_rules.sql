-- The names of the rules in a struct of booleans that do not hold; a null is a rule not judged.
-- Of most rows all hold, and finding the names takes ten times as long as finding that out.
CREATE OR REPLACE MACRO failed_rules(rules) AS
    CASE WHEN struct_contains(struct_values(rules), false) THEN
        list_transform(
            list_filter(map_entries(rules::MAP(VARCHAR, BOOLEAN)), lambda rule: NOT rule.value),
            lambda rule: rule.key
        )
    ELSE [] END;
