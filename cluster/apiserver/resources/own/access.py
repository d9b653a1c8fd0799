"""Questions about access, answered and stored nowhere: why (not), what may somebody do, who may do it, what would a binding change."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import (
    STRING,
    boolean,
    integer,
    kind,
    ref,
    several,
    struct,
    text,
)

_AUTHORIZATION = "io.k8s.api.authorization.v1"
_RBAC = "io.k8s.api.rbac.v1"
_USER = {
    "user": text("The user name. Without user, groups and serviceAccount the question is about whoever asks."),
    "groups": several(
        STRING,
        "The groups. Without them: those that the cluster's accounts know of for the user, and system:authenticated.",
    ),
}
_WHO = {
    "user": text("The user that was looked at."),
    "groups": several(STRING, "The groups that were looked at."),
}
_ASKED_OF = {
    "revision": integer(
        "A past revision (resourceVersion): the answer is by the roles and bindings of then. Without one: by those of now."
    )
}
_TOLD_OF = {"revision": integer("The past revision by whose roles and bindings this is the answer.")}
_GRANT_FIELDS = {
    "binding": text("The binding: RoleBinding/NAMESPACE/NAME or ClusterRoleBinding/NAME. Empty for system:masters."),
    "role": text("The role: Role/NAMESPACE/NAME or ClusterRole/NAME."),
    "subject": ref(f"{_RBAC}.Subject", "The subject of the binding that stands for the user."),
    "rule": ref(f"{_RBAC}.PolicyRule", "The rule of the role."),
}

DEFINITIONS = {
    **kind(
        "AccessExplanation",
        "AccessExplanation says whether a user may do something, because of which rule, or what almost allows it.",
        {"spec": ref("AccessExplanationSpec"), "status": ref("AccessExplanationStatus")},
        required=("spec",),
    ),
    **struct(
        "AccessExplanationSpec",
        "AccessExplanationSpec is the question: who, and what. Exactly one of the two attributes.",
        {
            **_USER,
            "resourceAttributes": ref(f"{_AUTHORIZATION}.ResourceAttributes", "A request for a resource."),
            "nonResourceAttributes": ref(f"{_AUTHORIZATION}.NonResourceAttributes", "A request for a path."),
            **_ASKED_OF,
        },
    ),
    **struct(
        "AccessExplanationStatus",
        "AccessExplanationStatus is the answer.",
        {
            **_WHO,
            "allowed": boolean("Whether it is allowed."),
            "reason": text("Why, as a SubjectAccessReview says it."),
            "message": text("What a refused client is told."),
            "grant": ref("AccessGrant", "What allows it."),
            "considered": several(
                ref("AccessConsideration"), "Each binding that names the user, or that nearly allows this."
            ),
            "nearMisses": several(ref("AccessConsideration"), "Those that almost allow it, most telling first."),
            "suggestions": several(ref("AccessMend"), "How else it could be granted."),
            **_TOLD_OF,
        },
    ),
    **struct("AccessGrant", "AccessGrant is one rule of a role that a binding gives to a subject.", _GRANT_FIELDS),
    **struct(
        "AccessConsideration",
        "AccessConsideration is a binding that was looked at, and what came of it.",
        {
            "verdict": text(
                "In one word: allows, missing-role, other-namespace, namespaced-only, resource-names, wrong-group, "
                "misspelled-resource, misspelled-verb, subresource, verb-not-granted, subject-kind, subject-namespace, "
                "subject-spelling or no-matching-rule."
            ),
            "sentence": text("In a sentence."),
            **_GRANT_FIELDS,
            "mend": ref("AccessMend", "What would make it allow this."),
        },
    ),
    **struct(
        "AccessMend",
        "AccessMend is a change that would allow the request.",
        {"sentence": text("What it does."), "manifest": text("YAML for kubectl apply -f -.")},
    ),
    **kind(
        "AccessMatrix",
        "AccessMatrix says what a subject may do in a namespace (or, without one, in all): resource by verb.",
        {"spec": ref("AccessMatrixSpec"), "status": ref("AccessMatrixStatus")},
    ),
    **struct(
        "AccessMatrixSpec",
        "AccessMatrixSpec is whose rights, and where.",
        {
            **_USER,
            "serviceAccount": ref("AccessServiceAccount", "A ServiceAccount in place of user and groups."),
            "namespace": text("The namespace; empty: rights that hold in all namespaces and for the cluster."),
            **_ASKED_OF,
        },
    ),
    **struct(
        "AccessServiceAccount",
        "AccessServiceAccount names a ServiceAccount.",
        {"namespace": text("Its namespace."), "name": text("Its name.")},
        "namespace",
        "name",
    ),
    **struct(
        "AccessMatrixStatus",
        "AccessMatrixStatus is the matrix.",
        {
            **_WHO,
            "verbs": several(STRING, "The columns, in order."),
            "grants": several(ref("AccessGrant"), "The grants that the cells point at, by position."),
            "rows": several(ref("AccessRow"), "A row for each resource and subresource that the cluster serves."),
            "paths": several(ref("AccessPath"), "Rights on paths that are no resources."),
            "incomplete": boolean("Whether there are rights beside RBAC's (the node authorizer's)."),
            "evaluationError": text("What could not be resolved, such as a roleRef to a role that does not exist."),
            **_TOLD_OF,
        },
    ),
    **struct(
        "AccessRow",
        "AccessRow is one resource.",
        {
            "group": text("Its API group; empty is the core group."),
            "resource": text("Its plural, with the subresource after a slash."),
            "kind": text("Its kind."),
            "namespaced": boolean("Whether its objects live in namespaces."),
            "cells": several(ref("AccessCell"), "The verbs that it serves."),
        },
    ),
    **struct(
        "AccessCell",
        "AccessCell is one verb on one resource.",
        {
            "verb": text("The verb."),
            "allowed": boolean("Whether it is allowed on every name."),
            "names": several(STRING, "If it is not, the names on which it is (resourceNames)."),
            "grants": several(integer("A position."), "What allows it: positions in the list of grants."),
        },
    ),
    **struct(
        "AccessPath",
        "AccessPath is a path, or a pattern of paths, that a rule names.",
        {
            "path": text("The path; a star at its end stands for anything."),
            "verbs": several(STRING, "The verbs."),
            "grants": several(integer("A position."), "Positions in the list of grants."),
        },
    ),
    **kind(
        "AccessReport",
        "AccessReport says who may do something.",
        {"spec": ref("AccessReportSpec"), "status": ref("AccessReportStatus")},
        required=("spec",),
    ),
    **struct(
        "AccessReportSpec",
        "AccessReportSpec is what is to be done: a verb on a resource, or on a path.",
        {
            "verb": text("The verb."),
            "group": text("The API group; empty is the core group."),
            "resource": text("The resource's plural."),
            "subresource": text("The subresource."),
            "name": text("The object's name; empty: any."),
            "namespace": text("The namespace; empty: all of them, or the cluster's scope."),
            "path": text("In place of a resource: a path."),
            **_ASKED_OF,
        },
        "verb",
    ),
    **struct(
        "AccessReportStatus",
        "AccessReportStatus is who.",
        {
            "subjects": several(ref("AccessSubject"), "A line for each subject of each binding that allows it."),
            "incomplete": boolean("Whether nodes may do it, too, through the node authorizer."),
            **_TOLD_OF,
        },
    ),
    **struct(
        "AccessSubject",
        "AccessSubject is somebody who may do it, and because of what.",
        {
            "kind": text("User, Group or ServiceAccount."),
            "name": text("The name."),
            "namespace": text("The namespace of a ServiceAccount."),
            "members": several(STRING, "Of a Group: the people in it whom the cluster's accounts know."),
            "binding": _GRANT_FIELDS["binding"],
            "role": _GRANT_FIELDS["role"],
            "rule": _GRANT_FIELDS["rule"],
        },
    ),
    **kind(
        "BindingPreview",
        "BindingPreview says what a binding would change, before it is made.",
        {"spec": ref("BindingPreviewSpec"), "status": ref("BindingPreviewStatus")},
        required=("spec",),
    ),
    **struct(
        "BindingPreviewSpec",
        "BindingPreviewSpec is the binding: a RoleBinding with a namespace, a ClusterRoleBinding without.",
        {
            "roleRef": ref(f"{_RBAC}.RoleRef", "The role."),
            "subjects": several(ref(f"{_RBAC}.Subject"), "To whom."),
            "namespace": text("Where; empty for the whole cluster."),
        },
        "roleRef",
    ),
    **struct(
        "BindingPreviewStatus",
        "BindingPreviewStatus is what would come of it.",
        {
            "allowed": boolean("Whether whoever asks may make it."),
            "message": text("If not, what the API server would say."),
            "roleExists": boolean("Whether the role exists."),
            "rules": several(ref(f"{_RBAC}.PolicyRule"), "The rules of the role."),
            "subjects": several(ref("BindingPreviewSubject"), "What each would gain."),
        },
    ),
    **struct(
        "BindingPreviewSubject",
        "BindingPreviewSubject is one subject and what it would gain.",
        {
            "kind": text("User, Group or ServiceAccount."),
            "name": text("The name."),
            "namespace": text("The namespace of a ServiceAccount."),
            "gains": several(ref("AccessGain"), "Resources and verbs that it may not use now, and then could."),
            "rules": several(ref(f"{_RBAC}.PolicyRule"), "The rules that it does not hold yet."),
        },
    ),
    **struct(
        "AccessGain",
        "AccessGain is one resource, or path, and the verbs that are new.",
        {
            "group": text("Its API group."),
            "resource": text("Its plural, with the subresource after a slash."),
            "path": text("In place of a resource: a path."),
            "verbs": several(STRING, "The verbs."),
            "names": several(STRING, "The names to which they are limited."),
        },
    ),
}
