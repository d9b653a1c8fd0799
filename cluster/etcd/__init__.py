"""The truth: the revision log. The API server alone opens it, through `cluster.etcd.log.Log`."""
