"""Admission that people configure: policies in CEL, and webhooks (apiserver/pkg/admission/plugin/{policy,webhook}).

`chain.py` knows the configurations and asks those that match, `matching.py` says which do. `policies.py` and `mutations.py` evaluate
CEL with what `expressions.py` puts into its scope, `webhook.py` calls out with what `review.py` makes of the request.
"""
