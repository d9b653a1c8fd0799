"""Lesson: a guided tour with something to say, to predict and to reach. Data, so that teachers write their own."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import STRING, boolean, integer, kind, ref, several, struct, text

DEFINITIONS = {
    **kind(
        "Lesson",
        "Lesson is a guided tour through the cluster. Each step is over when the cluster itself has reached its condition.",
        {"spec": ref("LessonSpec")},
    ),
    **struct(
        "LessonSpec",
        "LessonSpec is what the lesson teaches.",
        {
            "order": integer("Where it stands among the others."),
            "title": text("Its title."),
            "question": text("The question that it answers."),
            "minutes": integer("How long it takes."),
            "steps": several(ref("LessonStep"), "What is done, one after the other."),
            "cleanup": several(STRING, "Commands that take away what the lesson made, as kubectl takes them."),
        },
        "title",
        "steps",
    ),
    **struct(
        "LessonStep",
        "LessonStep is one thing to do or to see. In its texts, $(NAMESPACE) stands for the namespace of the person.",
        {
            "title": text("What it is about."),
            "text": text("What to know: paragraphs, with `machine text` between backticks."),
            "view": text("Where to look: an address of the page, such as /explore/nodes."),
            "manifest": text("YAML to apply."),
            "commands": several(STRING, "Commands to run, as kubectl takes them."),
            "refused": boolean("True when the server is meant to refuse what is done here."),
            "predict": ref("LessonPrediction", "What to think about before anything is done."),
            "condition": ref(
                "LessonCondition", "What the cluster must have reached; without one it is enough to go on."
            ),
        },
        "title",
    ),
    **struct(
        "LessonPrediction",
        "LessonPrediction is a question about what will happen.",
        {
            "question": text("The question."),
            "options": several(STRING, "The answers to choose from."),
            "answer": integer("Which one is right, counted from 0."),
            "because": text("Why."),
        },
        "question",
        "options",
        "answer",
    ),
    **struct(
        "LessonCondition",
        "LessonCondition is an expression in CEL over what the queries find. Variables: one for each query (a list of objects), "
        "`journeys` (what the person asked for since the step began, as a list), `began` (when that was, as a timestamp's text) "
        "and `namespace`.",
        {
            "queries": several(ref("LessonQuery"), "What is looked up, as the person."),
            "expression": text("True when the step is done."),
            "hint": text("What is being waited for."),
        },
        "expression",
    ),
    **struct(
        "LessonQuery",
        "LessonQuery looks objects up.",
        {
            "name": text("The variable's name."),
            "resource": text("What is listed, such as apps/v1/deployments."),
            "namespace": text(
                "Where; without it in the namespace of the person. `*` for resources without namespaces."
            ),
            "labelSelector": text("Which of them."),
            "fieldSelector": text("Which of them."),
        },
        "name",
        "resource",
    ),
}
