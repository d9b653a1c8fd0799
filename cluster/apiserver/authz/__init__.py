"""May they: nodes, then RBAC. `chain.AuthorizerChain` is the way in."""
