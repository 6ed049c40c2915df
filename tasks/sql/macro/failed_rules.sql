-- The names of the rules in a struct of booleans that do not hold; a null is a rule not judged.
CREATE OR REPLACE MACRO failed_rules(rules) AS
    list_transform(
        list_filter(map_entries(rules::MAP(VARCHAR, BOOLEAN)), lambda rule: NOT rule.value),
        lambda rule: rule.key
    );
