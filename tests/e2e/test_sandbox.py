"""A namespace of one's own in one call: quota, limits and rights in it; one for each person, and nobody else's to take."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.person import Person
from tests.support.server import wait_for

PATH = "/apis/sim.kubeweb.dev/v1alpha1/sandboxes"


@pytest.fixture(scope="module")
def people(cluster):
    cluster.django(
        "from cluster.accounts.models import User\n"
        "for name in ('ada', 'Ada', 'grace'): User.objects.create_user(name, password='a-long-enough-one')"
    )
    return {name: Person(cluster, name, "a-long-enough-one").sign_in() for name in ("ada", "Ada", "grace")}


def test_one_call_makes_everything_and_a_second_finds_it(cluster, people):
    ada = people["ada"]
    # A fresh person may do nothing but ask.
    assert ada.ask("GET", "/api/v1/namespaces/default/pods")[0] == 403
    status, made = ada.ask("POST", "/explorer/sandbox/", {})
    assert (status, made["phase"], made["namespace"]) == (201, "Ready", "sandbox-ada"), made
    namespace = made["namespace"]
    assert ada.ask("GET", f"/api/v1/namespaces/{namespace}/resourcequotas/sandbox")[0] == 200
    assert ada.ask("GET", f"/api/v1/namespaces/{namespace}/limitranges/sandbox")[0] == 200
    pod = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    status, pod = ada.ask("POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    assert status == 201, pod
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "256Mi"}
    wait_for(
        lambda: ada.ask("GET", f"/api/v1/namespaces/{namespace}/resourcequotas/sandbox")[1]["status"].get("used", {}).get("pods")
        == "1",
        "the quota's count",
    )  # fmt: skip
    # The quota is not theirs to raise.
    assert ada.ask("DELETE", f"/api/v1/namespaces/{namespace}/resourcequotas/sandbox")[0] == 403
    assert ada.ask("GET", "/api/v1/namespaces/default/pods")[0] == 403
    # Nor may their pods push others' aside.
    critical = {"metadata": {"name": "pushy"}, "spec": {**pod["spec"], "priorityClassName": "system-node-critical"}}
    critical["spec"].pop("priority", None)
    critical["spec"].pop("preemptionPolicy", None)
    status, answer = ada.ask("POST", f"/api/v1/namespaces/{namespace}/pods", critical)
    assert (status, "exceeded quota: sandbox-critical" in answer["message"]) == (403, True), answer
    again = ada.ask("POST", "/explorer/sandbox/", {})
    assert (again[0], again[1]) == (200, made)
    assert ada.ask("GET", "/explorer/sandbox/")[1] == {"sandboxes": [made], "limit": 1, "more": False}
    listed = cluster.kubectl("get", "sandboxes")
    assert "ada    ada    sandbox-ada   Ready" in listed


def test_people_whose_names_look_the_same_get_two(cluster, people):
    _, first = people["ada"].ask("POST", "/explorer/sandbox/", {})
    status, second = people["Ada"].ask("POST", "/explorer/sandbox/", {})
    assert status == 201
    assert (first["namespace"], second["namespace"]) == ("sandbox-ada", "sandbox-ada-2")
    assert people["Ada"].ask("GET", "/api/v1/namespaces/sandbox-ada/pods")[0] == 403


def test_there_is_one_for_each_and_nobody_asks_for_others(people):
    grace = people["grace"]
    body = {"metadata": {"name": "more"}}
    status, made = grace.ask("POST", PATH, body)
    assert (status, made["spec"]) == (201, {"user": "grace", "role": "admin"})
    status, answer = grace.ask("POST", PATH, {"metadata": {"name": "most"}})
    assert (status, answer["message"]) == (
        403,
        'sandboxes.sim.kubeweb.dev "most" is forbidden: user "grace" has 1 of 1 sandbox',
    )
    status, answer = grace.ask("POST", PATH, {"metadata": {"name": "theirs"}, "spec": {"user": "linus"}})
    assert (status, "takes the right to impersonate them" in answer["message"]) == (403, True)
    status, answer = grace.ask("POST", PATH, {"metadata": {"name": "root"}, "spec": {"role": "cluster-admin"}})
    assert status == 422
    assert grace.ask("DELETE", f"{PATH}/ada")[0] == 403


def test_many_at_once_get_no_more_than_one_after_the_other(cluster):
    cluster.django(
        "from cluster.accounts.models import User; User.objects.create_user('hasty', password='a-long-enough-one')"
    )
    hasty = Person(cluster, "hasty", "a-long-enough-one").sign_in()
    assert hasty.ask("GET", "/explorer/sandbox/")[1] == {"sandboxes": [], "limit": 1, "more": True}
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: hasty.ask("POST", PATH, {"metadata": {"name": f"hasty-{n}"}}), range(24)))
    assert sorted(status for status, _ in answers) == [201] + [403] * 23
    held = [one for one in cluster.request("GET", PATH)[1]["items"] if one["spec"]["user"] == "hasty"]
    assert len(held) == 1
    # The page's own way says the same.
    status, answer = hasty.ask("POST", "/explorer/sandbox/", {"another": True})
    assert (status, answer["reason"], 'user "hasty" has 1 of 1 sandbox' in answer["message"]) == (
        403,
        "Forbidden",
        True,
    )
    assert hasty.ask("DELETE", f"{PATH}/{held[0]['metadata']['name']}")[0] == 200
    assert hasty.ask("GET", "/explorer/sandbox/")[1]["more"] is True


@pytest.mark.parametrize("body", ["[1]", '"x"', "{", '{"another": "yes"}'])
def test_what_is_no_question_makes_no_more(people, body):
    assert people["ada"].ask("POST", "/explorer/sandbox/", body)[0] in (200, 400)
    assert len(people["ada"].ask("GET", "/explorer/sandbox/")[1]["sandboxes"]) == 1


def test_a_namespace_that_was_there_is_left_alone(cluster):
    cluster.kubectl("create", "namespace", "sandbox-taken")
    status, _ = cluster.request("POST", PATH, {"metadata": {"name": "taken"}, "spec": {"user": "somebody"}})
    assert status == 201
    made = wait_for(lambda: cluster.request("GET", f"{PATH}/taken")[1].get("status", {}).get("phase"), "the verdict")
    assert made == "Failed"
    assert (
        cluster.request("GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/sandbox-taken/rolebindings")[1]["items"]
        == []
    )


def test_it_goes_with_everything_in_it(cluster, people):
    grace = people["grace"]
    wait_for(lambda: cluster.request("GET", "/api/v1/namespaces/sandbox-more")[0] == 200, "the namespace")
    assert grace.ask("DELETE", f"{PATH}/more")[0] == 200
    wait_for(
        lambda: cluster.request("GET", "/api/v1/namespaces/sandbox-more")[0] == 404, "the end of the namespace", 60
    )


def test_whom_rbac_does_not_let_gets_none(cluster):
    cluster.kubectl(
        "annotate",
        "clusterrolebinding",
        "kubeweb:sandboxes",
        "rbac.authorization.kubernetes.io/autoupdate=false",
        "--overwrite",
    )
    cluster.kubectl("patch", "clusterrolebinding", "kubeweb:sandboxes", "--type=merge", '-p={"subjects":[]}')
    cluster.django(
        "from cluster.accounts.models import User; User.objects.create_user('late', password='a-long-enough-one')"
    )
    late = Person(cluster, "late", "a-long-enough-one").sign_in()
    status, answer = late.ask("POST", "/explorer/sandbox/", {})
    assert (status, answer["reason"]) == (403, "Forbidden")
    assert late.ask("GET", "/explorer/sandbox/")[1] == {"sandboxes": [], "limit": 1, "more": False}


def test_strangers_and_forged_requests_get_none(cluster, people):
    assert Person(cluster).ask("POST", "/explorer/sandbox/", {})[0] == 403
    assert people["ada"].ask("POST", "/explorer/sandbox/", {}, {"X-CSRFToken": ""})[0] == 403
