"""Pseudonyms: the same in Python and SQL, apart by purpose, of no use without the secret."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rules.pseudonyms import hmac_pads, keyed_hash
from tasks.store import memory

SECRET = bytes(range(32))


@given(st.binary(min_size=32, max_size=80), st.text())
def test_pads_give_the_hmac_of_the_standard_library(secret: bytes, text: str) -> None:
    inner, outer = hmac_pads(secret, "resident")
    content = text.encode("utf-8", "surrogatepass")
    by_pads = hashlib.sha256(outer + hashlib.sha256(inner + content).digest()).hexdigest()
    key = hmac.new(secret, b"resident", hashlib.sha256).digest()
    assert by_pads == hmac.new(key, content, hashlib.sha256).hexdigest()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_sql_computes_the_same_over_a_column(texts: list[str]) -> None:
    inner, outer = hmac_pads(SECRET, "resident")
    with memory() as connection:
        rows = connection.execute(
            "SELECT sha256($outer || unhex(sha256($inner || encode(text))))"
            " FROM (SELECT unnest($texts) AS text, unnest(range(len($texts))) AS nth) ORDER BY nth",
            {"inner": inner, "outer": outer, "texts": texts},
        ).fetchall()
    assert [digest for (digest,) in rows] == [keyed_hash(SECRET, "resident", t) for t in texts]


def test_a_purpose_says_nothing_about_another() -> None:
    assert keyed_hash(SECRET, "resident", "x") != keyed_hash(SECRET, "referral", "x")
    assert keyed_hash(SECRET, "resident", "x") == keyed_hash(SECRET, "resident", "x")


@pytest.mark.parametrize(
    ("secret", "purpose"), [(b"short", "resident"), (SECRET, ""), (SECRET, "Two words")]
)
def test_a_weak_secret_or_a_careless_purpose_is_refused(secret: bytes, purpose: str) -> None:
    with pytest.raises(ValueError, match=r"secret|purpose"):
        hmac_pads(secret, purpose)
