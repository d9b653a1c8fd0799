"""The stages of the pipeline, one file a subject. `cluster.apiserver.pipeline` puts them in order."""
