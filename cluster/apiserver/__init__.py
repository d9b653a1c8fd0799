"""The only door to the truth: one request through authn, authz, admission, validation and etcd, and the watch cache."""
