"""The cluster: one package per component of the diagram of Kubernetes."""
