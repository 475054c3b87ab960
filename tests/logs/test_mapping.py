import pytest
import yaml

from livedqn.logs import mapping
from livedqn.types import LivedqnError

GIVEN = """
viewer: user
time: ts
context: {country: {from: country, values: %s}}
candidates: {heat: {from: heat, kind: count}}
action: action
propensity: p
signals: {clicked: click}
"""


@pytest.mark.parametrize(
    ("values", "says"),
    [("[fr, no]", r"context\.country has true or false .* quotes"), ("fr", r"context\.country has values 'fr'")],
    ids=["Norway to YAML is false", "letters"],
)
def test_values_that_no_row_would_ever_have_are_refused(values, says):
    with pytest.raises(ValueError, match=says):
        mapping.parse(yaml.safe_load(GIVEN % values))
    (cell,) = mapping.parse(yaml.safe_load(GIVEN % "[fr, 'no', 3]")).context
    assert cell.values == ("fr", "no", "3")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"propensty": "p"}, r"the mapping has propensty; did you mean 'propensity'; it may have"),
        ({"context": {"hour": {"form": "h"}}}, r"context\.hour has form; did you mean 'from'; it may have"),
        ({"candidates": {"heat": {"from": "h", "role": "haet"}}}, r"\.heat\.role is 'haet'; did you mean 'heat'"),
        ({"candidates": {"heat": {"from": "h", "role": "hour"}}}, r"role is 'hour'; choose heat, streamer"),
        ({"candidates": {"heat": {"from": "h", "kind": "cuont"}}}, r"kind is 'cuont'; did you mean 'count'"),
        ({"time": {"from": "ts", "unit": ["ms"]}}, r"time\.unit is \['ms'\]; choose s, ms"),
        ({"signals": ["clicked"]}, r"signals is \['clicked'\]; it has to map names of columns"),
        ({"context": {False: "no"}}, r"context has a column named False; a name is text: put it in quotes"),
        ({"context": {"hour": {"from": "h", "scale": [1]}}}, r"context\.hour\.scale is \[1\]; it is a number"),
        ({"rooms": ["room"]}, r"rooms is \['room'\]; it is the name of a column of the table"),
        ({"terminated": False}, r"terminated is False; it is the name of a column of the table"),
        ({"history_length": 2.5}, r"history_length is 2\.5; it is a whole number from 1"),
        ({"history_length": 10**7}, r"history_length is 10000000; it is 10,000 at most"),
        ({"shown": "room", "rooms": "rooms"}, r"it has action and shown, which say the same: leave one out"),
        ({"context": {"a": {"from": "x", "kind": "id", "scale": 2}}}, r"context\.a has scale, .* beside kind id"),
        ({"context": {"a": {"from": "x", "values": [1], "missing": 0}}}, r"has missing, .* beside a list of values"),
        ({"context": {"a": {"from": "x", "values": [1], "cardinality": 2}}}, r"a has cardinality, which means nothing"),
        ({"context": {"a": {"from": "x", "values": [1, "1 "]}}}, r"context\.a has '1' twice among its values"),
        ({"context": {"a": "heat"}}, r"column heat is one value a row in one place and a list in another"),
    ],
)
def test_a_mistake_is_told_with_its_place_what_stands_there_and_what_should(change, says):
    with pytest.raises(ValueError, match=says):
        mapping.parse(yaml.safe_load(GIVEN % "[fr]") | change)


def test_numbers_are_numbers_however_yaml_reads_them():
    found = yaml.safe_load(GIVEN % "[fr]" + "session_gap_s: 1e3\nhistory: {a: {from: 7, scale: 1e-3}}")
    assert found["session_gap_s"] == "1e3"
    columns = mapping.parse(found)
    assert columns.session_gap_s == 1000
    assert (columns.history[0].source, columns.history[0].scale) == ("7", 0.001)


@pytest.mark.parametrize(
    ("candidates", "says"),
    [
        ({"country": {"from": "c", "values": ["no", "fr"]}}, r"has values \['fr', 'no'\] in one place and \['no'"),
        ({"country": {"from": "c", "values": ["fr"]}}, "country' is a category of 3 in context and a category of 2 in"),
        ({"country": {"from": "c", "kind": "category", "cardinality": 3}}, r"\['fr', 'no'\] in one place and \[\] in"),
        ({"country": {"from": "c", "kind": "id"}}, "country' is a category of 3 in context and an id in candidates"),
    ],
    ids=["order", "number", "places", "kind"],
)
def test_columns_of_one_name_are_one_thing(candidates, says):
    given = yaml.safe_load(GIVEN % "[fr, 'no']")
    with pytest.raises(ValueError, match=says):
        mapping.parse(given | {"candidates": candidates})
    same = {"country": {"from": "c", "values": ["fr", "no"]}}
    assert mapping.parse(given | {"candidates": same}).candidates[0].values == ("fr", "no")


def test_a_time_without_a_column_is_refused():
    with pytest.raises(ValueError, match="time lacks from"):
        mapping.parse(yaml.safe_load(GIVEN % "[fr]") | {"time": {"unit": "ms"}})


def test_a_key_that_comes_twice_is_a_mistake(tmp_path):
    path = tmp_path / "columns.yaml"
    path.write_text(GIVEN % "[fr]" + "signals: {watch_s: watched}\n")
    with pytest.raises(LivedqnError, match=r"columns\.yaml: signals stands twice in one place: leave one out"):
        mapping.read(path)
