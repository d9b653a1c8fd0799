"""Label and field selectors, as the query string and as objects have them."""

from __future__ import annotations

import pytest

from cluster.apimachinery import labels

WEB = {"app": "web", "tier": "front", "cores": "16"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web , tier", True),
        ("app!=web", False),
        ("other!=x", True),
        ("app in (web, db)", True),
        ("app notin (web,db)", False),
        ("other notin (x)", True),
        ("tier", True),
        ("!tier", False),
        ("!other", True),
        ("cores>8", True),
        ("cores<8", False),
        ("app=", False),
        ("example.com/x", False),
    ],
)
def test_label_selectors(text, matches):
    assert labels.parse(text).matches(WEB) is matches


@pytest.mark.parametrize("text", ["app=web=x", "in (a)", "app in a", "=x", "a,,b", "cores>x", "app in (a", "!!a"])
def test_bad_label_selectors(text):
    with pytest.raises(ValueError, match=r"."):
        labels.parse(text)


def test_object_selectors():
    assert labels.from_selector(None).matches(WEB) is False
    assert labels.from_selector({}).matches(WEB) is True
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["front", "back"]}],
    }
    assert labels.from_selector(selector).matches(WEB) is True
    assert str(labels.from_selector(selector)) == "app=web,tier in (back,front)"
    assert labels.from_map({}).matches(WEB) is False


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("status.phase=Running", True),
        ("status.phase!=Running", False),
        ("spec.nodeName=", True),
        ("spec.hostNetwork=true,status.phase=Running", True),
        ("metadata.name=a\\,b", True),
    ],
)
def test_field_selectors(text, matches):
    pod = {"metadata": {"name": "a,b"}, "spec": {"hostNetwork": True}, "status": {"phase": "Running"}}
    assert labels.match_fields(pod, labels.parse_fields(text)) is matches


def test_a_field_selector_without_operator():
    with pytest.raises(ValueError, match="can't understand 'nonsense'"):
        labels.parse_fields("nonsense")


def test_a_field_may_stand_in_two_places():
    from cluster.apimachinery.labels import field_value

    assert (
        field_value(
            {"source": {"component": "kubelet"}, "reportingComponent": "x"}, "source.component|reportingComponent"
        )
        == "kubelet"
    )
    assert field_value({"source": {}, "reportingComponent": "x"}, "source.component|reportingComponent") == "x"
    assert field_value({}, "source.component|reportingComponent") == ""
