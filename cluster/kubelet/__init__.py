"""The node agents: registration, pod workers, probes, logs. `pool.Machines` runs one kubelet per Node object."""
