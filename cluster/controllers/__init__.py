"""The controllers: one control loop a file, what they decide in policy/, what they share in lib/ (kube-controller-manager).

`CONTROLLERS` is what a process starts. Each class names its stop on the map (`name`) and its ServiceAccount (`account`).
"""

from __future__ import annotations

from cluster.client.loop import ControlLoop
from cluster.controllers.certificates import (
    CertificateApprovingController,
    CertificateCleaningController,
    CertificateSigningController,
)
from cluster.controllers.clock import ClockController
from cluster.controllers.clusterroleaggregation import ClusterRoleAggregationController
from cluster.controllers.cronjob import CronJobController
from cluster.controllers.daemonset import DaemonSetController
from cluster.controllers.deployment import DeploymentController
from cluster.controllers.disruption import DisruptionController
from cluster.controllers.endpoints import EndpointsController
from cluster.controllers.endpointslice import EndpointSliceController
from cluster.controllers.endpointslicemirroring import EndpointSliceMirroringController
from cluster.controllers.ephemeralvolume import EphemeralVolumeController
from cluster.controllers.fault import FaultController
from cluster.controllers.garbagecollector import GarbageCollector
from cluster.controllers.horizontalpodautoscaler import HorizontalPodAutoscalerController
from cluster.controllers.job import JobController
from cluster.controllers.namespace import NamespaceController
from cluster.controllers.node import NodeController
from cluster.controllers.persistentvolume import PersistentVolumeController
from cluster.controllers.podgc import PodGCController
from cluster.controllers.replicaset import ReplicaSetController, ReplicationControllerController
from cluster.controllers.resourcequota import ResourceQuotaController
from cluster.controllers.rootca import RootCAController
from cluster.controllers.sandbox import SandboxController
from cluster.controllers.service import ServiceController
from cluster.controllers.serviceaccount import ServiceAccountController
from cluster.controllers.servicecidr import ServiceCIDRController
from cluster.controllers.statefulset import StatefulSetController
from cluster.controllers.tainteviction import TaintEvictionController
from cluster.controllers.traffic import TrafficController
from cluster.controllers.ttlafterfinished import TTLAfterFinishedController
from cluster.controllers.volumeexpand import VolumeExpandController
from cluster.controllers.volumeprotection import ClaimProtectionController, VolumeProtectionController

CONTROLLERS: tuple[type[ControlLoop], ...] = (
    DeploymentController,
    ReplicaSetController,
    ReplicationControllerController,
    DaemonSetController,
    StatefulSetController,
    JobController,
    CronJobController,
    TTLAfterFinishedController,
    HorizontalPodAutoscalerController,
    DisruptionController,
    ServiceController,
    EndpointSliceController,
    EndpointsController,
    EndpointSliceMirroringController,
    ServiceCIDRController,
    NamespaceController,
    ServiceAccountController,
    ResourceQuotaController,
    PersistentVolumeController,
    EphemeralVolumeController,
    VolumeExpandController,
    ClaimProtectionController,
    VolumeProtectionController,
    RootCAController,
    SandboxController,
    CertificateApprovingController,
    CertificateSigningController,
    CertificateCleaningController,
    NodeController,
    TaintEvictionController,
    PodGCController,
    ClusterRoleAggregationController,
    GarbageCollector,
    TrafficController,
    ClockController,
    FaultController,
)
