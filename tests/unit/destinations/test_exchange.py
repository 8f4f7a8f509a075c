from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.exchange import Refused, encode, form


@given(st.dictionaries(st.text(), st.text(min_size=1), max_size=4))
def test_forms_are_read_back(members):
    assert dict(parse_qsl(form(members).decode(), encoding="utf-8")) == members


def test_forms_are_written_as_javascript_writes_them():
    assert form({"a b": "*-._~é&"}) == b"a+b=*-._%7E%C3%A9%26"


def test_json_of_any_number():
    assert encode({"a": 2**65, "b": float("inf"), "c": 1.5}) == b'{"a":36893488147419103232,"b":null,"c":1.5}'
    assert encode(float("nan")) == b"null"


def test_what_is_no_text_is_refused():
    with pytest.raises(Refused, match="can't be written as JSON"):
        encode({"a": "\ud800"})
