"""The audit log: who asked for what, when, and what was decided (Kubernetes' audit.k8s.io/v1)."""
