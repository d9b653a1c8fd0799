"""Two people, two browsers: the admin gives rights in the admin, dora uses them on the page and with kubectl; all three agree.

The screenshots of each admin page, light and dark, wide and phone, are made here, too.
"""

from __future__ import annotations

import re

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.support.server import tool

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.27"}
"""
SECRET = "dora-Explores-7"
PAGES = {
    "index": "/admin/",
    "users": "/admin/accounts/user/",
    "groups": "/admin/auth/group/",
    "tokens": "/admin/accounts/accesstoken/",
    "roles": "/admin/rbac/roles/",
    "clusterroles": "/admin/rbac/clusterroles/",
    "rolebindings": "/admin/rbac/rolebindings/",
    "clusterrolebindings": "/admin/rbac/clusterrolebindings/",
    "serviceaccounts": "/admin/rbac/serviceaccounts/",
    "role": "/admin/rbac/roles/shop/pod-workers/",
    "binding": "/admin/rbac/rolebindings/shop/devs-pods/",
    "another-role": "/admin/rbac/rolebindings/shop/devs-pods/role/?role=ClusterRole:view",
    "serviceaccount": "/admin/rbac/serviceaccounts/shop/robot/",
    "clusterrole": "/admin/rbac/clusterroles/_/view/",
    "delete": "/admin/rbac/roles/shop/pod-workers/delete/",
    "matrix": "/admin/rbac/matrix/?subject=User:dora&ns=shop",
    "who-can": "/admin/rbac/who-can/?verb=create&what=deployments.apps&ns=shop",
    "explain": "/admin/rbac/explain/?subject=User:dora&verb=delete&what=deployments.apps&ns=shop",
    "audit": "/admin/rbac/audit/",
    "account": "/account/",
    "password": "/admin/password_change/",
}


@pytest.fixture(scope="module")
def admin(sign_in, realistic) -> Page:
    realistic.kubectl("create", "namespace", "shop")
    return sign_in()


@pytest.fixture(scope="module")
def at(realistic):
    """Go to a path of the cluster's."""
    return lambda page, path: page.goto(f"http://127.0.0.1:{realistic.http}{path}")


@pytest.fixture(scope="module")
def dora(admin, at, sign_in) -> Page:
    """Group devs, dora in it, a Role for pods in shop, a binding: made in the admin; then dora signs in elsewhere."""
    at(admin, "/admin/accounts/user/add/")
    admin.fill("#id_username", "dora")
    admin.fill("#id_password1", SECRET)
    admin.fill("#id_password2", SECRET)
    admin.click("input[name=_save]")
    expect(admin.locator(".messagelist")).to_contain_text("was added successfully")
    at(admin, "/admin/auth/group/add/")
    admin.fill("#id_name", "devs")
    admin.locator("#id_members_from option", has_text="dora").dblclick()
    expect(admin.locator("#id_members_to option")).to_have_text(["dora"])
    admin.click("input[name=_save]")
    at(admin, "/admin/rbac/roles/add/?namespace=shop")
    make_role(admin)
    at(admin, "/admin/rbac/rolebindings/add/?namespace=shop")
    make_binding(admin)
    return sign_in(user="dora", password=SECRET)


def chip(page: Page, field: str, *words: str) -> None:
    for word in words:
        page.locator(f'[data-field="{field}"] .chips input').fill(word)
        page.keyboard.press("Enter")
        expect(page.locator(f'[data-field="{field}"] .chip', has_text=word.partition(".")[0]).first).to_be_visible()


def make_role(page: Page) -> None:
    page.fill("#object-name", "pod-workers")
    chip(page, "rules[0].resources", "pods", "pods/log")
    page.locator('[data-field="rules[0].verbs"]').get_by_role("button", name="Read only").click()
    page.get_by_role("checkbox", name="create", exact=True).check()
    expect(page.locator("[data-yaml]")).to_have_value(re.compile(r"- pods/log\n.*- create", re.DOTALL))
    expect(page.locator("[data-state]")).to_have_text("valid, and you may save it")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("Created Role shop/pod-workers through the API.")


def make_binding(page: Page) -> None:
    page.fill("#object-name", "devs-pods")
    page.select_option("#role-ref", "Role:pod-workers")
    page.get_by_role("button", name="Add a Group").click()
    page.get_by_label("Name", exact=True).last.fill("devs")
    page.keyboard.press("Tab")
    preview = page.get_by_test_id("preview")
    expect(preview).to_contain_text("Group devs gains")
    expect(preview).to_contain_text("pods/log")
    expect(page.locator("[data-state]")).to_have_text("valid, and you may save it")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("Created RoleBinding shop/devs-pods through the API.")


def apply(page: Page, text: str) -> None:
    # What is typed before the editor has taken the textarea's place would be lost.
    editor = page.locator("[data-testid=editor] .cm-content")
    expect(editor).to_be_editable()
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    expect(editor).to_contain_text("namespace: shop")
    page.get_by_test_id("apply").click()


def test_dora_is_denied_sees_why_and_after_the_mend_is_allowed_by_the_rule_that_was_added(admin, dora, at, shots):
    apply(dora, DEPLOYMENT)
    answers = dora.get_by_test_id("answers")
    expect(answers).to_contain_text("is forbidden")
    answers.get_by_role("button").click()
    expect(
        dora.get_by_text("RoleBinding devs-pods applies, but no rule of Role pod-workers is about this.").first
    ).to_be_visible()
    dora.screenshot(path=shots / "admin-dora-denied.png")

    # The admin mends the role; the form and the YAML are one.
    at(admin, "/admin/rbac/roles/shop/pod-workers/")
    admin.get_by_role("button", name="Add a rule on resources").click()
    chip(admin, "rules[1].resources", "deployments.apps")
    groups = admin.locator('[data-field="rules[1].apiGroups"] .chip')
    expect(groups).to_have_text(["apps×"])
    for verb in ("get", "create", "patch"):
        admin.locator('[data-field="rules[1].verbs"]').get_by_role("checkbox", name=verb, exact=True).check()
    expect(admin.locator("[data-yaml]")).to_have_value(re.compile(r"- apps\n.*- patch", re.DOTALL))
    expect(admin.locator("[data-state]")).to_have_text("valid, and you may save it")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("Saved Role shop/pod-workers through the API.")

    dora.get_by_test_id("apply").click()
    expect(answers).to_contain_text("deployment.apps/web")
    expect(answers).not_to_contain_text("forbidden")
    answers.get_by_role("button").click()
    expect(dora.get_by_text(re.compile("devs-pods")).first).to_be_visible()
    expect(dora.get_by_text(re.compile("pod-workers")).first).to_be_visible()
    dora.screenshot(path=shots / "admin-dora-allowed.png")
    assert dora.problems == []


def test_a_saves_journey_is_played_from_its_message(admin, dora, at):
    at(admin, "/admin/rbac/roles/shop/pod-workers/")
    admin.get_by_role("button", name="Save and go on editing").click()
    admin.get_by_role("link", name="Watch its journey").click()
    expect(admin.get_by_text("admin updated Role pod-workers").first).to_be_visible()


def test_kubectl_agrees(admin, dora, realistic, at):
    at(dora, "/account/")
    with dora.expect_download() as downloading:
        dora.get_by_role("button", name="Download my kubeconfig").click()
    path = downloading.value.path()
    assert yaml.safe_load(path.read_text())["users"][0]["name"]

    def kubectl(*arguments: str) -> str:
        done = realistic.run(tool("kubectl"), f"--kubeconfig={path}", *arguments)
        return done.stdout + done.stderr

    assert "web" in kubectl("get", "deployment", "web", "-n", "shop")
    assert kubectl("auth", "can-i", "create", "deployments", "-n", "shop").strip() == "yes"
    assert kubectl("auth", "can-i", "delete", "deployments", "-n", "shop").strip() == "no"
    listed = kubectl("auth", "can-i", "--list", "-n", "shop")
    assert re.search(r"deployments\.apps\s+\[\]\s+\[\]\s+\[get create patch\]", listed), listed
    assert 'User "dora" cannot delete resource "deployments"' in kubectl("delete", "deployment", "web", "-n", "shop")
    assert 'User "dora" cannot impersonate resource "users"' in kubectl("get", "pods", "-n", "shop", "--as=admin")
    acting = ("--as=dora", "--as-group=devs", "--as-group=system:authenticated")
    assert realistic.kubectl("auth", "can-i", "patch", "deployments", "-n", "shop", *acting).strip() == "yes"
    assert "no" in realistic.kubectl("auth", "can-i", "get", "secrets", "-n", "shop", *acting, check=False)


def test_what_kubectl_changed_is_a_conflict_in_a_form_that_was_open(admin, dora, realistic, at, shots):
    at(admin, "/admin/rbac/roles/shop/pod-workers/")
    patch = '[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]'
    realistic.kubectl("patch", "role", "pod-workers", "-n", "shop", "--type=json", "-p", patch)
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_role("alert")).to_contain_text("Your change has not been saved.")
    expect(admin.locator("table.diff tr.added")).to_contain_text("delete")
    admin.screenshot(path=shots / "admin-conflict.png")
    admin.get_by_role("link", name="Drop mine, open theirs").click()
    expect(admin.locator("[data-yaml]")).to_have_value(re.compile("- delete"))


def test_the_yaml_leads_the_form_and_errors_stand_at_their_field(admin, dora, at):
    at(admin, "/admin/rbac/roles/shop/pod-workers/")
    text = admin.locator("[data-yaml]").input_value()
    admin.locator("[data-yaml]").fill(text.replace("- pods\n", "- pod\n"))
    expect(admin.locator('[data-field="rules[0].resources"]')).to_contain_text("Did you mean pods?")
    admin.locator("[data-yaml]").fill(text.replace("verbs:\n", "verbs: []\n  was:\n", 1))
    expect(admin.locator("[data-state]")).to_have_class("bad")
    admin.locator("[data-yaml]").fill("a: [")
    expect(admin.locator("[data-refusal]")).to_contain_text("the YAML cannot be read")


def test_a_service_account_is_filled_in_and_what_was_typed_last_is_saved(admin, realistic, at):
    realistic.kubectl("delete", "secret/registry", "serviceaccount/robot", "-n", "shop", "--ignore-not-found")
    realistic.kubectl("create", "secret", "generic", "registry", "-n", "shop")
    at(admin, "/admin/rbac/serviceaccounts/add/?namespace=shop")
    admin.fill("#object-name", "robot")
    chip(admin, "imagePullSecrets", "registri")
    expect(admin.locator('[data-field="imagePullSecrets"]')).to_contain_text("Did you mean registry?")
    admin.get_by_role("button", name="Remove registri").click()
    chip(admin, "imagePullSecrets", "registry")
    admin.select_option("#automount", "false")
    admin.locator("summary", has_text="Labels and annotations").click()
    admin.get_by_label("Labels: a new key").fill("team")
    admin.keyboard.press("Tab")
    admin.keyboard.type("blue")
    admin.keyboard.press("Enter")
    expect(admin.get_by_label("Labels: value of team")).to_have_value("blue")
    admin.get_by_label("Annotations: a new key").fill("example.org/why")
    admin.get_by_label("Annotations: its value").fill("because, of\nthis")
    # At once: the YAML, which is what is sent, has not followed yet.
    admin.get_by_role("button", name="Create", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("Created ServiceAccount shop/robot through the API.")
    made = realistic.request("GET", "/api/v1/namespaces/shop/serviceaccounts/robot")[1]
    assert (made["imagePullSecrets"], made["automountServiceAccountToken"]) == ([{"name": "registry"}], False)
    assert (made["metadata"]["labels"], made["metadata"]["annotations"]) == (
        {"team": "blue"},
        {"example.org/why": "because, of\nthis"},
    )
    at(admin, "/admin/rbac/serviceaccounts/shop/robot/")
    admin.locator("summary", has_text="Labels and annotations (2)").click()
    admin.get_by_label("Labels: key 1").fill("squad")
    admin.get_by_role("button", name="Remove example.org/why").click()
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("Saved ServiceAccount shop/robot through the API.")
    made = realistic.request("GET", "/api/v1/namespaces/shop/serviceaccounts/robot")[1]
    assert (made["metadata"]["labels"], made["metadata"].get("annotations")) == ({"squad": "blue"}, None)
    assert admin.problems == []


def test_a_binding_gets_another_role_in_one_step(admin, dora, realistic, at):
    realistic.kubectl("delete", "rolebinding", "lookers", "-n", "shop", "--ignore-not-found")
    realistic.kubectl("create", "rolebinding", "lookers", "--clusterrole=view", "--user=dora", "-n", "shop")
    at(admin, "/admin/rbac/rolebindings/shop/lookers/")
    admin.get_by_role("link", name="Give another role").click()
    admin.locator("select[name=role]").select_option("ClusterRole:edit")
    admin.get_by_role("button", name="See what would change").click()
    expect(admin.get_by_role("heading", name="From then on: ClusterRole edit")).to_be_visible()
    expect(admin.get_by_test_id("preview")).to_contain_text("User dora gains")
    acting = ("--as=dora", "--as-group=system:authenticated", "-n", "shop")
    assert realistic.kubectl("auth", "can-i", "create", "secrets", *acting, check=False).strip() == "no"
    admin.get_by_role("button", name="Replace the role").click()
    expect(admin.locator(".messagelist")).to_contain_text("Gave ClusterRole edit to RoleBinding shop/lookers")
    assert realistic.kubectl("auth", "can-i", "create", "secrets", *acting).strip() == "yes"
    assert "before" not in realistic.kubectl("get", "rolebindings", "-n", "shop")
    realistic.kubectl("delete", "rolebinding", "lookers", "-n", "shop")


def test_a_plain_person_reads_what_they_may_and_is_told_what_not(dora, at):
    at(dora, "/admin/rbac/roles/?ns=shop")
    expect(dora.get_by_role("alert")).to_contain_text('User "dora" cannot list resource "roles"')
    at(dora, "/admin/rbac/matrix/?ns=shop")
    dora.get_by_role("button", name="create deployments.apps: allowed").click()
    behind = dora.locator("[data-behind]")
    expect(behind).to_contain_text("RoleBinding/shop/devs-pods")
    expect(behind).to_contain_text("Role/shop/pod-workers")
    at(dora, "/admin/accounts/user/")
    expect(dora.get_by_role("heading", level=1)).to_have_text("You may not see this")


def test_a_sandbox_in_one_click_and_its_end(dora, realistic, at):
    at(dora, "/account/")
    dora.get_by_role("button", name="Give me a sandbox").click()
    expect(dora.get_by_text("sandbox-dora").first).to_be_visible(timeout=15_000)
    acting = ("--as=dora", "--as-group=system:authenticated")
    assert realistic.kubectl("auth", "can-i", "create", "pods", "-n", "sandbox-dora", *acting).strip() == "yes"
    dora.get_by_role("button", name="End it").click()
    expect(dora.get_by_role("status")).to_contain_text("is being taken down")
    expect(dora.get_by_role("button", name="Give me a sandbox")).to_be_visible()


def test_on_a_phone_lists_stand_as_lines_and_the_audit_filter_waits_folded(dora, sign_in, at, axe):
    page = sign_in(width=390, height=844)
    for path in ("/admin/accounts/user/", "/admin/accounts/accesstoken/", "/admin/auth/group/"):
        at(page, path)
        expect(page.locator("#result_list tbody tr").first).to_be_visible()
        assert page.locator(".results").evaluate("one => one.scrollWidth <= one.clientWidth"), path
        assert axe(page, "main") == []
    at(page, "/admin/accounts/user/")
    label = "one => getComputedStyle(one, '::before').content"
    assert page.locator("td.field-last_login").first.evaluate(label) == '"Last login"'
    search = page.get_by_role("search")
    at(page, "/admin/rbac/audit/")
    expect(search).to_be_hidden()
    page.get_by_role("checkbox", name="Filter").check()
    search.get_by_label("Verb").fill("create")
    search.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile("verb=create"))
    expect(search.get_by_label("Verb")).to_have_value("create")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_every_page_fits_and_everybody_can_use_it(dora, sign_in, at, shots, axe, scheme, width, height):
    page = sign_in(width=width, height=height, scheme=scheme)
    found = []
    for name, path in PAGES.items():
        at(page, path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=shots / f"admin-{name}-{scheme}-{'wide' if width > 1000 else 'phone'}.png")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{name}: {wide} px wide")
        found += [f"{name}: {problem}" for problem in page.problems]
        found += [f"{name}: {problem}" for problem in axe(page, ".topbar", "main")]
        # axe tries styles out, which the page's policy tells of, too.
        page.problems.clear()
    assert not found, "\n".join(found)
    page.context.close()
