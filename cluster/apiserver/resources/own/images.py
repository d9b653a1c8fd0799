"""ContainerImage: an entry of the image catalogue that somebody adds."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import (
    INTEGER,
    STRING,
    boolean,
    integer,
    kind,
    mapped,
    number,
    quantity,
    ref,
    several,
    struct,
    text,
)

DEFINITIONS = {
    **kind(
        "ContainerImage",
        "ContainerImage says how an image behaves in the simulated world: how big it is, what its process does, what it answers.",
        {"spec": ref("ContainerImageSpec")},
    ),
    **struct(
        "ContainerImageSpec",
        "ContainerImageSpec describes an image. Objects of this kind come before the built-in catalogue.",
        {
            "image": text("The image's name without tag, such as nginx or registry.example.com/team/app."),
            "missingTags": several(STRING, "Tags that do not exist: pulling them fails."),
            "size": quantity("How many bytes are pulled. Defaults to 48Mi."),
            "type": text(
                "Server (runs until signalled; the default), Shell (its command is a shell) or Once (prints and exits)."
            ),
            "ports": several(INTEGER, "Where the server listens, beside the container's own ports."),
            "startSeconds": number("From start to listening."),
            "exitCodeOnTerm": integer("The exit code after SIGTERM."),
            "ignoresTerm": boolean("True for a process that does not listen to SIGTERM and has to be killed."),
            "log": several(STRING, "The first lines of its log."),
            "requiredEnv": several(STRING, "It exits with code 1 unless one of these variables is set."),
            "memory": quantity("What it holds while nothing happens. Defaults to 8Mi."),
            "cpu": quantity("What it uses while nothing happens. Defaults to 1m."),
            "cpuSecondsPerRequest": number("Seconds of a core that one request costs."),
            "answers": mapped(STRING, "Bodies by path; what is not there is 404, unless there is none at all."),
        },
        "image",
    ),
}
