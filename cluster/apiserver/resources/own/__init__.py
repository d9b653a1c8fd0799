"""Schemas of the kinds that are ours and no built-in's: `sim.kubeweb.dev`, the simulated world as objects, and metrics.k8s.io."""

from __future__ import annotations

from cluster.apiserver.resources.own import (
    access,
    clocks,
    diagnoses,
    faults,
    images,
    lessons,
    metrics,
    sandboxes,
    simulations,
    traffic,
)
from cluster.apiserver.resources.own.schema import GROUP, PACKAGES, VERSION, Schema

__all__ = ["DEFINITIONS", "GROUP", "PACKAGES", "VERSION"]

DEFINITIONS: dict[str, Schema] = {
    name: schema
    for part in (faults, traffic, images, clocks, diagnoses, access, lessons, metrics, sandboxes, simulations)
    for name, schema in part.DEFINITIONS.items()
}
