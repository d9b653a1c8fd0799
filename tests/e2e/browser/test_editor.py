"""The YAML editor: completion, documentation, problems, the diff before an apply, the library, and text from outside."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import wait_for

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: edited
spec:
  replicas: 2
  selector:
    matchLabels: {app: edited}
  template:
    metadata:
      labels: {app: edited}
    spec:
      containers:
      - name: web
        image: nginx:1.27
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gardens.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: gardens, singular: garden, kind: Garden}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [beds]
            properties:
              beds: {type: integer, description: How many beds there are.}
              soil: {type: string, enum: [clay, loam, sand]}
"""


def textbox(page: Page):
    box = page.get_by_test_id("editor").get_by_role("textbox", name="manifest")
    # CodeMirror takes the place of the plain textarea.
    expect(page.locator("[data-testid=editor] .cm-content")).to_be_visible()
    return box


def write(page: Page, text: str) -> None:
    if page.get_by_role("tab", name="YAML").get_attribute("aria-selected") != "true":
        page.get_by_role("tab", name="YAML").click()
    textbox(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def options(page: Page):
    return page.locator(".cm-tooltip-autocomplete li")


def complete(page: Page) -> list[str]:
    page.keyboard.press("Control+Space")
    expect(options(page).first).to_be_visible()
    return page.locator(".cm-tooltip-autocomplete .cm-completionLabel").all_inner_texts()


def test_keys_are_completed_from_the_schema_with_what_they_require(page, shots):
    write(page, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: edited\n")
    page.keyboard.type("sp")
    expect(options(page)).to_have_count(1)
    # What is accepted at once would be a key of typing: CodeMirror waits a moment.
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    text = page.locator("[data-testid=editor] .cm-content").inner_text()
    assert re.search(r"spec:\n +selector:\n[\s\S]*template:", text), text
    write(page, DEPLOYMENT + "        ")
    names = complete(page)
    assert "imagePullPolicy" in names
    assert "image" not in names, "what is there is not offered again"
    page.keyboard.type("imagePullP")
    page.wait_for_timeout(150)
    page.screenshot(path=shots / "editor-complete.png")
    page.keyboard.press("Enter")
    assert sorted(complete(page)) == ["Always", "IfNotPresent", "Never"]
    page.keyboard.press("Escape")


def test_kinds_and_whole_skeletons_are_offered(page):
    write(page, "apiVersion: batch/v1\nkind: ")
    assert sorted(complete(page)) == ["CronJob", "Job"]
    page.keyboard.press("Escape")
    write(page, "Depl")
    assert "Deployment" in complete(page)
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    expect(page.locator("[data-testid=editor] .cm-content")).to_contain_text("kind: Deployment")
    page.keyboard.type("fresh")
    expect(page.locator("[data-testid=editor] .cm-content")).to_contain_text("name: fresh")
    expect(page.locator("[data-testid=editor] .cm-content")).to_contain_text("app: fresh")
    page.keyboard.press("Escape")


def test_a_field_is_explained_under_the_pointer(page, shots):
    write(page, DEPLOYMENT)
    # The innermost: while the text is still incomplete for the linter, a span of its own stands around it.
    page.locator(".cm-line", has_text="replicas").locator("span", has_text="replicas").last.hover()
    expect(page.locator(".cm-tooltip-hover")).to_contain_text("Number of desired pods")
    expect(page.locator(".cm-tooltip-hover")).to_contain_text("integer")
    page.screenshot(path=shots / "editor-hover.png")
    page.mouse.move(700, 400)


def test_problems_stand_at_their_lines_and_lead_there(page, shots):
    write(page, DEPLOYMENT.replace("replicas: 2", "replica: 2").replace("name: web", "name: 7"))
    problems = page.get_by_test_id("problems")
    expect(problems).to_contain_text('unknown field "spec.replica": did you mean replicas?')
    expect(problems).to_contain_text("must be a string, not an integer")
    expect(problems.locator(".line").first).to_have_text("6")
    page.screenshot(path=shots / "editor-problems.png")
    problems.get_by_role("button").last.click()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    assert page.evaluate("getSelection().toString()").strip() == "- name: 7"
    write(page, DEPLOYMENT)
    expect(problems).to_have_count(0)


def test_what_the_server_refuses_is_shown_at_the_line_of_its_field(page, shots):
    write(
        page,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: edited}\n---\n"
        + DEPLOYMENT.replace("replicas: 2", "replicas: -2"),
    )
    page.get_by_test_id("dry-run").click()
    answers = page.get_by_test_id("answers")
    expect(answers).to_contain_text("namespace/edited created (dry run)")
    expect(answers).to_contain_text("spec.replicas: Invalid value: -2: must be greater than or equal to 0")
    expect(answers.get_by_role("button", name="line 10: spec.replicas")).to_be_visible()
    problems = page.get_by_test_id("problems")
    expect(problems).to_contain_text("API server")
    expect(problems.locator(".line").first).to_have_text("10")
    page.screenshot(path=shots / "editor-refused.png")
    page.keyboard.press("Escape")


def test_the_diff_shows_what_an_apply_would_change_and_applies_it(page, realistic, shots):
    write(page, DEPLOYMENT)
    page.get_by_test_id("diff-open").click()
    diff = page.get_by_test_id("diff")
    expect(diff).to_contain_text("would be created")
    page.get_by_test_id("diff-apply").click()
    expect(page.get_by_test_id("answers")).to_contain_text("deployment.apps/edited created")
    write(page, DEPLOYMENT.replace("replicas: 2", "replicas: 3").replace("1.27", "1.28"))
    page.get_by_test_id("diff-open").click()
    expect(diff).to_contain_text("would change")
    expect(diff.locator(".cm-line.cm-changedLine").filter(has_text="replicas: 3")).to_be_visible()
    expect(diff.locator(".cm-deletedChunk").filter(has_text="replicas: 2").first).to_be_visible()
    assert "managedFields" not in diff.inner_text()
    page.screenshot(path=shots / "editor-diff.png")
    page.get_by_role("button", name="Side by side").click()
    expect(diff.locator(".cm-mergeView")).to_be_visible()
    page.screenshot(path=shots / "editor-diff-side.png")
    page.get_by_role("button", name="One below the other").click()
    assert realistic.kubectl("get", "deploy", "edited", "-o", "jsonpath={.spec.replicas}") == "2", (
        "looking changes nothing"
    )
    page.get_by_test_id("diff-apply").click()
    expect(page.get_by_test_id("answers")).to_contain_text("deployment.apps/edited configured")
    page.get_by_test_id("diff-open").click()
    expect(diff).to_contain_text("is so already")
    expect(page.get_by_test_id("diff-apply")).to_be_disabled()
    page.keyboard.press("Escape")


def test_one_of_several_documents_can_be_applied_and_deleted(page, realistic):
    maps = "".join(f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n" for name in ("one", "two"))
    write(page, maps)
    page.get_by_test_id("documents").locator("summary").click()
    page.get_by_role("button", name="apply ConfigMap two").click()
    expect(page.get_by_test_id("answers")).to_have_text(re.compile(r"configmap/two created"))
    assert "one" not in realistic.kubectl("get", "cm", "-o", "name").split("configmap/")
    page.get_by_role("button", name="delete ConfigMap two").click()
    expect(page.get_by_test_id("answers")).to_contain_text("configmap/two deleted")
    page.get_by_test_id("delete").click()
    page.get_by_role("button", name="Keep it as it is").click()
    expect(page.get_by_test_id("answers")).not_to_contain_text("one")


def test_custom_resources_are_completed_too(page, realistic):
    realistic.kubectl("apply", "-f", "-", stdin=CRD)
    wait_for(
        lambda: "Garden" in realistic.kubectl("get", "--raw", "/openapi/v3/apis/example.com/v1", check=False),
        "the new kind's schema",
    )
    write(page, "apiVersion: example.com/v1\nkind: Garden\nmetadata:\n  name: g\nspec:\n  beds: many\n  soil: ")
    assert sorted(complete(page)) == ["clay", "loam", "sand"]
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("problems")).to_contain_text("spec.beds must be an integer, not a string")


def test_a_secret_is_warned_about_and_its_values_are_not_in_the_diff(page):
    write(page, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: hunter2\n")
    expect(page.get_by_test_id("problems")).to_contain_text("do not use real passwords")
    page.get_by_test_id("diff-open").click()
    expect(page.get_by_test_id("diff")).to_contain_text("*** (after)")
    assert "aHVudGVyMg" not in page.get_by_test_id("diff").inner_text()
    page.keyboard.press("Escape")


def test_the_text_survives_a_reload(page):
    write(page, "# not yet finished\nkind: ")
    page.reload()
    expect(page.locator("[data-testid=editor] .cm-content")).to_contain_text("not yet finished")


def test_the_library_keeps_renames_shares_and_deletes(page, realistic, sign_in, shots):
    write(page, DEPLOYMENT)
    page.get_by_test_id("save").click()
    page.get_by_test_id("save-name").fill("my web")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("toasts")).to_contain_text('Kept as "my web"')
    page.get_by_role("tab", name="Examples").click()
    library = page.get_by_test_id("library")
    expect(library).to_contain_text("my web")
    page.screenshot(path=shots / "editor-library.png")
    library.get_by_role("button", name="rename my web").click()
    page.get_by_label("new name of my web").fill("our web")
    page.keyboard.press("Enter")
    expect(library).to_contain_text("our web")
    with page.expect_response(lambda answer: answer.url.endswith("/share/")) as answered:
        library.get_by_role("button", name="copy a link to our web").click()
    secret = answered.value.json()["share"]
    other = sign_in(f"/?manifest={secret}")
    expect(other.locator("[data-testid=editor] .cm-content")).to_contain_text("name: edited")
    assert "manifest=" not in other.url
    other.context.close()
    library.get_by_role("button", name="delete our web").click()
    page.get_by_test_id("confirm").click()
    expect(library).to_have_count(0)
    page.get_by_role("tab", name="YAML").click()


def test_files_are_opened_together_and_what_is_too_large_is_refused(page):
    chooser = page.get_by_test_id("files")
    one = {"name": "1.yaml", "mimeType": "text/yaml", "buffer": b"kind: One\n"}
    two = {"name": "2.yaml", "mimeType": "text/yaml", "buffer": b"---\nkind: Two\n"}
    chooser.set_input_files([two, one])
    expect(page.locator("[data-testid=editor] .cm-content")).to_contain_text("kind: One")
    assert page.locator("[data-testid=editor] .cm-content").inner_text().split() == [
        "kind:",
        "One",
        "---",
        "kind:",
        "Two",
    ]
    chooser.set_input_files({"name": "big.yaml", "mimeType": "text/yaml", "buffer": b"x" * (1024 * 1024 + 1)})
    expect(page.get_by_test_id("toasts")).to_contain_text("larger than 1 MiB")
    chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"x"})
    expect(page.get_by_test_id("toasts")).to_contain_text("Only .yaml, .yml and .json")


def test_a_manifest_pasted_anywhere_comes_into_the_editor_and_can_be_taken_back(page):
    write(page, "# mine\n")
    page.get_by_role("tab", name="Journeys").click()
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.setData('text/plain', text);
          document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        DEPLOYMENT,
    )
    expect(page.locator("[data-testid=editor] .cm-content")).to_contain_text("name: edited")
    page.get_by_test_id("toasts").get_by_role("button", name="Undo").last.click()
    expect(page.locator("[data-testid=editor] .cm-content")).to_contain_text("# mine")
    assert page.problems == []


@pytest.mark.parametrize(("width", "height", "scheme"), [(390, 844, "light"), (390, 844, "dark"), (1440, 900, "dark")])
def test_it_fits_a_phone_and_the_dark(sign_in, axe, shots, width, height, scheme):
    page = sign_in(width=width, height=height, scheme=scheme)
    if width < 900:
        page.get_by_role("button", name="YAML").click()
    write(page, DEPLOYMENT.replace("replicas: 2", "replica: 2"))
    expect(page.get_by_test_id("problems")).to_be_visible()
    page.screenshot(path=shots / f"editor-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page, ".say") == []
    page.get_by_test_id("diff-open").click()
    expect(page.get_by_test_id("diff")).to_contain_text("would be refused")
    page.screenshot(path=shots / f"editor-diff-{width}-{scheme}.png")
    assert page.problems == []
    page.context.close()
