import pytest
import yaml

from livedqn.logs import mapping

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


def test_a_time_without_a_column_is_refused():
    with pytest.raises(ValueError, match="time lacks from"):
        mapping.parse(yaml.safe_load(GIVEN % "[fr]") | {"time": {"unit": "ms"}})
