"""The names of the linking rules: when two records are one person, and when a human is asked.

The rules themselves are `sql/list/pairs.sql`. They are few, exact and explained, so that an officer
can follow every link; nothing is scored. "Agree" means equal and known on both sides.
"""

CERTAIN = ("resident_key", "name_birth_phone", "name_birth_village")
"""Rules that join two records, the strongest first.

`resident_key`: the same keyed hash of the identity number. `name_birth_phone`: name, birth date and
phone agree. `name_birth_village`: name, birth date, sex and residence village agree. The last two
never join two different identity numbers.
"""

ANSWERED = "answered"
"""The link of two records that a human said are one person."""

FIRST = "first"
"""What stands in place of a link for the referral that gives the person its reference."""

DOUBTFUL = (
    "name_birth_elsewhere",
    "phone_birth_other_name",
    "name_phone_other_birth",
    "ids_differ",
)
"""Rules that put a pair to a human; unanswered, the two are kept apart.

`name_birth_elsewhere`: name, birth date and sex agree, the village does not, nor the phone (a move,
or two people). `phone_birth_other_name`: phone, birth date and sex agree, the name does not (a
misspelling, or twins). `name_phone_other_birth`: name and phone agree, the birth date does not.
`ids_differ`: name, birth date and phone agree and the identity numbers do not; also every link that
would put two identity numbers, two register numbers or an answered "different" into one person.
"""

SAME, DIFFERENT = "same", "different"
ANSWERS = (SAME, DIFFERENT)

COMPARED = ("full_name", "sex", "birth_date", "resident_id", "residence_village", "phone")
"""The fields two records are compared by, as a question names them."""
