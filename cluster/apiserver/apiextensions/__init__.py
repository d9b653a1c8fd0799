"""Custom resources: what a CustomResourceDefinition says, and serving what it says (apiextensions-apiserver).

`definition.py` and `structural.py` check definitions, `serving.py` watches them and registers what they declare, `custom.py` is one
served version: `pruning.py` and `defaulting` before storage, `values.py` and `rules.py` to validate, `conversion.py` between versions.
"""
