"""The container runtime interface (`cri`) and the simulated runtime behind it."""
