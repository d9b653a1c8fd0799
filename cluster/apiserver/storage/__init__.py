"""Between the pipeline and etcd: the watch cache, list and watch semantics, and the one place that commits."""
