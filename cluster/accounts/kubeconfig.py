"""Kubeconfig files: how kubectl finds this cluster and who it is there."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

CLUSTER = "kubeweb"
DEFAULT_SERVER = "https://127.0.0.1:6443"


def kubeconfig_for(
    user: str,
    server_url: str,
    ca_pem: bytes,
    *,
    token: str = "",
    certificate: tuple[bytes, bytes] | None = None,
    namespace: str = "",
) -> str:
    """The YAML text of a kubeconfig with one cluster, one user (by token, or by certificate and key) and one context."""
    credentials: dict[str, str] = {}
    if token:
        credentials["token"] = token
    if certificate is not None:
        credentials["client-certificate-data"] = base64.b64encode(certificate[0]).decode()
        credentials["client-key-data"] = base64.b64encode(certificate[1]).decode()
    cluster = {"server": server_url}
    if server_url.startswith("https:"):
        cluster["certificate-authority-data"] = base64.b64encode(ca_pem).decode()
    context = {"cluster": CLUSTER, "user": user, **({"namespace": namespace} if namespace else {})}
    name = f"{user}@{CLUSTER}"
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CLUSTER, "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": name, "context": context}],
            "current-context": name,
            "preferences": {},
        },
        sort_keys=False,
    )


def read_kubeconfig(text: str) -> tuple[str, str, str]:
    """(server, token, ca in base64) of the first cluster and user; empty strings where there is none."""
    try:
        config = yaml.safe_load(text)
        cluster = config["clusters"][0]["cluster"]
        credentials = config["users"][0]["user"]
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        return "", "", ""
    return (
        str(cluster.get("server") or ""),
        str(credentials.get("token") or ""),
        str(cluster.get("certificate-authority-data") or ""),
    )


def server_url(data_dir: Path) -> str:
    """Where kubectl finds the cluster: KUBEWEB_SERVER_URL, else what `up` wrote into DATA_DIR/kubeconfig, else the default."""
    if url := os.environ.get("KUBEWEB_SERVER_URL"):
        return url
    path = data_dir / "kubeconfig"
    return (read_kubeconfig(path.read_text())[0] if path.exists() else "") or DEFAULT_SERVER
