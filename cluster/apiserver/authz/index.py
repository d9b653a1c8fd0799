"""The index of roles and bindings: from a subject to its bindings, from a roleRef to compiled rules.

Kept current by the watch cache's change callbacks; `generation` grows whenever a decision might come out differently,
so that whoever remembers decisions knows when to forget them. Read by `rbac`, `explain` and `escalation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cluster.apimachinery import errors, labels
from cluster.apiserver.authz.rules import CompiledRule, aggregate, compile_rules
from cluster.apiserver.request import Obj, Reader, UserInfo

GROUP = "rbac.authorization.k8s.io"
ROLES = f"{GROUP}/roles"
CLUSTER_ROLES = f"{GROUP}/clusterroles"
ROLE_BINDINGS = f"{GROUP}/rolebindings"
CLUSTER_ROLE_BINDINGS = f"{GROUP}/clusterrolebindings"

Compiled = tuple[CompiledRule, ...]


class Binding:
    """A RoleBinding or ClusterRoleBinding (`namespace` empty), with its names spelled once."""

    __slots__ = ("name", "namespace", "obj", "ref_kind", "ref_name", "subjects")

    def __init__(self, obj: Obj) -> None:
        self.obj = obj
        self.namespace: str = obj["metadata"].get("namespace") or ""
        self.name: str = obj["metadata"]["name"]
        self.ref_kind: str = obj["roleRef"]["kind"]
        self.ref_name: str = obj["roleRef"]["name"]
        self.subjects: list[Obj] = obj.get("subjects") or []

    @property
    def kind(self) -> str:
        return "RoleBinding" if self.namespace else "ClusterRoleBinding"

    @property
    def title(self) -> str:
        return f"RoleBinding/{self.namespace}/{self.name}" if self.namespace else f"ClusterRoleBinding/{self.name}"

    @property
    def role_title(self) -> str:
        if self.ref_kind == "Role":
            return f"Role/{self.namespace}/{self.ref_name}"
        return f"ClusterRole/{self.ref_name}"

    def subject_for(self, user: UserInfo) -> Obj | None:
        """The first of its subjects that is this user."""
        for subject in self.subjects:
            key = subject_key(subject, self.namespace)
            if key and (key == "u" + user.name or (key[0] == "g" and key[1:] in user.groups)):
                return subject
        return None

    def describe(self, subject: Obj) -> str:
        """`RoleBinding "devs-edit/shop" of ClusterRole "edit" to Group "devs"`: Kubernetes' words for the one that allowed."""
        name = f"{self.name}/{self.namespace}" if self.namespace else self.name
        who = subject["name"]
        if subject["kind"] == "ServiceAccount":
            who = f"{who}/{subject.get('namespace') or self.namespace}"
        return f'{self.kind} "{name}" of {self.ref_kind} "{self.ref_name}" to {subject["kind"]} "{who}"'


def subject_key(subject: Obj, namespace: str) -> str:
    """`uNAME` or `gNAME`; empty for a subject that is nobody. `namespace` is the binding's own."""
    kind = subject.get("kind")
    if kind == "User":
        return f"u{subject['name']}"
    if kind == "Group":
        return f"g{subject['name']}"
    if kind == "ServiceAccount":
        home = subject.get("namespace") or namespace
        return f"usystem:serviceaccount:{home}:{subject['name']}" if home else ""
    return ""


class RBACIndex:
    """All roles and bindings, by what a decision looks for."""

    def __init__(self, reader: Reader) -> None:
        self.generation = 0
        self.roles: dict[tuple[str, str], Obj] = {}
        self.cluster_roles: dict[str, Obj] = {}
        self.bindings: dict[tuple[str, str], Binding] = {}
        # namespace ("" for the cluster) → subject → binding name → binding
        self._by_subject: dict[str, dict[str, dict[str, Binding]]] = {}
        # Names of subjects in lower case → keys of bindings: whatever is, or nearly is, somebody.
        self._by_word: dict[str, set[tuple[str, str]]] = {}
        self._compiled: dict[tuple[str, str], Compiled] = {}
        self._aggregating: set[str] = set()
        reader.on_change(ROLES, self._role_changed)
        reader.on_change(CLUSTER_ROLES, self._cluster_role_changed)
        reader.on_change(ROLE_BINDINGS, self._binding_changed)
        reader.on_change(CLUSTER_ROLE_BINDINGS, self._binding_changed)

    def bindings_of(self, user: UserInfo, namespace: str) -> Iterator[Binding]:
        """The bindings in one scope that name this user or one of its groups, by name."""
        subjects = self._by_subject.get(namespace)
        if not subjects:
            return
        found: dict[str, Binding] = {}
        if direct := subjects.get("u" + user.name):
            found.update(direct)
        for group in user.groups:
            if through := subjects.get("g" + group):
                found.update(through)
        for name in sorted(found):
            yield found[name]

    def names(self, user: str) -> bool:
        """Whether any binding has this user, by name, among its subjects."""
        return any(f"u{user}" in subjects for subjects in list(self._by_subject.values()))

    def held_by(self, user: UserInfo) -> dict[str, list[Obj]]:
        """Every rule the user holds, by scope: `""` for the cluster, else a namespace in which a binding names them."""
        found: dict[str, list[Obj]] = {}
        for scope in list(self._by_subject):
            for binding in self.bindings_of(user, scope):
                found.setdefault(scope, []).extend(rule.source for rule in self.rules_of(binding) or ())
        return found

    def bindings_near(self, user: UserInfo) -> Iterator[Binding]:
        """The bindings in all scopes with a subject that is this user, or that is called nearly so, in order."""
        words = {name.lower() for name in (user.name, *user.groups)}
        parts = user.name.split(":")
        if len(parts) == 4:
            words |= {parts[3].lower(), f"{parts[2]}:{parts[3]}".lower()}
        keys: set[tuple[str, str]] = set()
        for word in words:
            keys |= self._by_word.get(word, set())
        for key in sorted(keys):
            yield self.bindings[key]

    def rules_of(self, binding: Binding) -> Compiled | None:
        """The rules behind the roleRef; None when there is no such role."""
        if binding.ref_kind == "ClusterRole":
            return self._rules("", binding.ref_name)
        if binding.ref_kind == "Role" and binding.namespace:
            return self._rules(binding.namespace, binding.ref_name)
        return None

    def role_rules(self, namespace: str, kind: str, name: str) -> list[Obj] | None:
        """The PolicyRules of a Role in `namespace`, or of a ClusterRole; None when it does not exist."""
        rules = self._rules("" if kind == "ClusterRole" else namespace, name)
        return None if rules is None else [rule.source for rule in rules]

    def role_missing(self, binding: Binding) -> str:
        """Kubernetes' words for a roleRef that leads nowhere."""
        return f'{errors.qualified(binding.ref_kind.lower(), GROUP)} "{binding.ref_name}" not found'

    def _rules(self, namespace: str, name: str) -> Compiled | None:
        key = (namespace, name)
        compiled = self._compiled.get(key)
        if compiled is None:
            role = self.roles.get(key) if namespace else self.cluster_roles.get(name)
            if role is None:
                return None
            rules = self._effective(role, set()) if role.get("aggregationRule") else role.get("rules")
            compiled = self._compiled[key] = compile_rules(rules)
        return compiled

    def _effective(self, role: Obj, above: set[str]) -> list[Obj]:
        """What an aggregating role holds once its controller has settled, whether or not it has yet."""
        above = above | {role["metadata"]["name"]}
        selected: list[Obj] = []
        selectors = [labels.from_selector(s) for s in role["aggregationRule"].get("clusterRoleSelectors") or ()]
        for name, candidate in self.cluster_roles.items():
            carried = candidate["metadata"].get("labels")
            if not carried or not any(selector.matches(carried) for selector in selectors):
                continue
            if name not in above and candidate.get("aggregationRule"):
                candidate = {**candidate, "rules": self._effective(candidate, above)}
            selected.append(candidate)
        return aggregate(role, selected)

    def _role_changed(self, old: Obj | None, new: Obj | None) -> None:
        metadata = _metadata(old, new)
        key = (str(metadata["namespace"]), str(metadata["name"]))
        if new is None:
            self.roles.pop(key, None)
        else:
            self.roles[key] = new
            if old is not None and old.get("rules") == new.get("rules"):
                return
        self._compiled.pop(key, None)
        self.generation += 1

    def _cluster_role_changed(self, old: Obj | None, new: Obj | None) -> None:
        name = str(_metadata(old, new)["name"])
        if new is None:
            self.cluster_roles.pop(name, None)
            self._aggregating.discard(name)
        else:
            self.cluster_roles[name] = new
            if new.get("aggregationRule"):
                self._aggregating.add(name)
            else:
                self._aggregating.discard(name)
            if old is not None and _same_role(old, new):
                return
        self._compiled.pop(("", name), None)
        for dependent in self._aggregating:
            self._compiled.pop(("", dependent), None)
        self.generation += 1

    def _binding_changed(self, old: Obj | None, new: Obj | None) -> None:
        metadata = _metadata(old, new)
        namespace, name = str(metadata.get("namespace") or ""), str(metadata["name"])
        before = self.bindings.pop((namespace, name), None)
        subjects = self._by_subject.setdefault(namespace, {})
        if before is not None:
            for key in _keys(before):
                named = subjects.get(key)
                if named is not None:
                    named.pop(name, None)
                    if not named:
                        del subjects[key]
            for word in _words(before):
                self._by_word[word].discard((namespace, name))
                if not self._by_word[word]:
                    del self._by_word[word]
        if new is not None:
            binding = self.bindings[(namespace, name)] = Binding(new)
            for key in _keys(binding):
                subjects.setdefault(key, {})[name] = binding
            for word in _words(binding):
                self._by_word.setdefault(word, set()).add((namespace, name))
        if not subjects:
            del self._by_subject[namespace]
        self.generation += 1


def _keys(binding: Binding) -> Iterable[str]:
    return {key for subject in binding.subjects if (key := subject_key(subject, binding.namespace))}


def _words(binding: Binding) -> Iterable[str]:
    return {str(subject.get("name") or "").lower() for subject in binding.subjects}


def _metadata(old: Obj | None, new: Obj | None) -> Obj:
    obj = new if new is not None else old
    if obj is None:
        raise ValueError("a change without an object")
    metadata: Obj = obj["metadata"]
    return metadata


def _same_role(old: Obj, new: Obj) -> bool:
    return (
        old.get("rules") == new.get("rules")
        and old.get("aggregationRule") == new.get("aggregationRule")
        and old["metadata"].get("labels") == new["metadata"].get("labels")
    )
