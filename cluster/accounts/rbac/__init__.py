"""RBAC in the admin: pages whose every read and save is a request to the API server by the person who looks."""
