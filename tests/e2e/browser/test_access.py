"""RBAC on the page: the gate with what was considered and its mends, the matrix, who may, and the cluster as somebody else."""

from __future__ import annotations

import base64
import json

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def bindings(realistic):
    """alice may edit in `dev`, and was meant to in `default`."""
    realistic.kubectl("create", "namespace", "dev")
    realistic.kubectl("create", "rolebinding", "devs-edit", "-n", "dev", "--clusterrole=edit", "--user=alice")
    realistic.kubectl("create", "rolebinding", "readers", "--clusterrole=view", "--user=alice")
    realistic.kubectl("create", "configmap", "seen", "--from-literal=a=b")


def visit(page, realistic, path=""):
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/access{path}")


def test_the_gate_shuts_and_says_which_binding_nearly_opens_it(page, realistic, bindings, shots, axe):
    visit(page, realistic, "?who=alice&verb=create&resource=deployments.apps")
    gate = page.get_by_test_id("gate")
    expect(gate).to_contain_text("alice may not create deployments.apps in default", timeout=15_000)
    considered = page.get_by_test_id("considered")
    expect(considered).to_contain_text("it is in namespace dev, not default")
    expect(considered.get_by_role("link", name="RoleBinding/dev/devs-edit")).to_be_visible()
    page.screenshot(path=shots / "access-shut.png")
    assert axe(page, "main") == []
    assert page.problems == []


def test_a_mend_opens_it(page, realistic, bindings, shots):
    visit(page, realistic, "?who=alice&verb=create&resource=deployments.apps")
    page.get_by_test_id("mend").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("RoleBinding")
    page.get_by_test_id("mend-apply").click()
    expect(page.get_by_test_id("gate")).to_contain_text("alice may create deployments.apps in default", timeout=15_000)
    assert realistic.kubectl("auth", "can-i", "create", "deployments", "--as=alice").strip() == "yes"
    page.screenshot(path=shots / "access-open.png")


def test_the_matrix_has_a_disc_for_each_right(page, realistic, bindings, shots, axe):
    visit(page, realistic, "/matrix?who=alice&ns=dev")
    rights = page.get_by_test_id("rights")
    expect(rights.get_by_role("button", name="alice may delete pods", exact=True)).to_be_visible(timeout=15_000)
    expect(rights.get_by_role("button", name="alice may not create rolebindings", exact=False)).to_have_count(0)
    page.screenshot(path=shots / "access-matrix.png")
    assert axe(page, "main") == []
    rights.get_by_role("button", name="alice may delete pods", exact=True).click()
    expect(page.get_by_test_id("gate")).to_contain_text("alice may delete pods in dev", timeout=10_000)


def test_who_may(page, realistic, bindings, shots):
    visit(page, realistic, "/who?verb=get&resource=configmaps")
    row = page.get_by_role("row").filter(has_text="alice").filter(has_text="RoleBinding/default/readers")
    expect(row).to_be_visible(timeout=15_000)
    page.screenshot(path=shots / "access-who.png")


def test_the_cluster_as_somebody_else(sign_in, realistic, bindings, shots, axe):
    page = sign_in("/explore/access?who=alice&verb=get&resource=secrets")
    page.get_by_test_id("act-as").click()
    banner = page.get_by_test_id("acting")
    expect(banner).to_contain_text("admin acting as alice")
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/object/v1/configmaps/default/seen?tab=yaml")
    expect(page.get_by_test_id("object-yaml")).to_contain_text("a: b")
    # What alice may not see is refused as it would be to her.
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/object/v1/nodes/_/node-1")
    expect(page.get_by_text("list nodes in the whole cluster").first).to_be_visible(timeout=15_000)
    page.screenshot(path=shots / "access-acting.png")
    assert axe(page, "main") == []
    page.get_by_test_id("oneself").click()
    expect(banner).to_have_count(0)


def test_groups_of_a_browser_come_in_one_header(realistic):
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    told = (
        base64.urlsafe_b64encode(json.dumps({"user": "zoë", "groups": ["devs", "ops"]}).encode()).decode().rstrip("=")
    )
    headers = {"X-KubeWeb-Impersonate": f"base64url.impersonate.kubeweb.dev.{told}"}
    code, answer = realistic.request(
        "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", json.dumps(review), headers
    )
    assert code == 201
    assert answer["status"]["userInfo"]["username"] == "zoë"
    assert answer["status"]["userInfo"]["groups"] == ["devs", "ops", "system:authenticated"]


def test_on_a_phone(sign_in, realistic, bindings, shots, axe):
    page = sign_in("/explore/access?who=alice&verb=delete&resource=nodes", 390, 844, "dark")
    expect(page.get_by_test_id("gate")).to_contain_text("may not", timeout=15_000)
    page.screenshot(path=shots / "access-phone.png")
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
    assert axe(page, "main") == []
    # Who, and because of what, without a column that is cut off.
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/access/who?verb=get&resource=configmaps")
    row = page.get_by_role("row").filter(has_text="alice").filter(has_text="RoleBinding/default/readers")
    expect(row).to_contain_text("User", timeout=15_000)
    box = row.get_by_role("link", name="ClusterRole/view", exact=True).bounding_box()
    assert box["x"] + box["width"] <= 390
    page.screenshot(path=shots / "access-phone-who.png")
    # The matrix begins with a resource and its first rights side by side.
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/access/matrix?who=alice")
    disc = page.get_by_test_id("rights").get_by_role("button", name="alice may get configmaps", exact=True)
    expect(disc).to_be_visible(timeout=15_000)
    assert disc.bounding_box()["x"] < 300
    page.screenshot(path=shots / "access-phone-matrix.png")
    assert axe(page, "main") == []
