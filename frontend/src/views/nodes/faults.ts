/** What a person can break here: Fault objects, made and deleted through the Kubernetes API like anything else. */
import { request } from '../../api/http';
import type { Summary } from '../../types';

export interface Fault extends Summary {
  type: string;
  node: string;
  podNamespace: string;
  pod: string;
  probe: string;
  phase: string;
  message: string;
  started: number | null;
  duration: number | null;
}

export interface Kind {
  type: string;
  title: string;
  on: 'node' | 'pod';
  says: string;
  spec?: Record<string, unknown>;
  seconds?: number;
}

export const KINDS: Kind[] = [
  { type: 'NodeDown', title: 'Power cut', on: 'node', says: 'the machine loses power', seconds: 120 },
  { type: 'NetworkPartition', title: 'Cut off', on: 'node', says: 'kubelet and API server do not reach one another', seconds: 120 },
  { type: 'MemoryPressure', title: 'Memory', on: 'node', says: 'something takes nearly all memory', seconds: 120 },
  { type: 'DiskPressure', title: 'Disk', on: 'node', says: 'something fills the disk', seconds: 120 },
  { type: 'ContainerCrash', title: 'Crash', on: 'pod', says: 'its container exits with code 1' },
  { type: 'OutOfMemory', title: 'OOM', on: 'pod', says: 'its container is killed for want of memory' },
  { type: 'ContainerHang', title: 'Hang', on: 'pod', says: 'its container stops answering', seconds: 60 },
  { type: 'ProbeFailure', title: 'Not ready', on: 'pod', says: 'its readiness probe fails', spec: { probe: 'readiness' }, seconds: 60 },
  { type: 'ProbeFailure', title: 'Not live', on: 'pod', says: 'its liveness probe fails', spec: { probe: 'liveness' }, seconds: 60 },
];

const PATH = '/apis/sim.kubeweb.dev/v1alpha1/faults';

async function told(response: Response): Promise<void> {
  if (response.ok) return;
  const status = (await response.json().catch(() => ({}))) as { message?: string };
  throw new Error(status.message ?? `refused with ${response.status}`);
}

/** Break it. Throws what the server says when it refuses. */
export async function cause(kind: Kind, target: { node: string } | { namespace: string; pod: string }): Promise<void> {
  const spec = { type: kind.type, ...target, ...kind.spec, ...(kind.seconds ? { durationSeconds: kind.seconds } : {}) };
  const body = { apiVersion: 'sim.kubeweb.dev/v1alpha1', kind: 'Fault', metadata: { generateName: `${kind.title.toLowerCase().replaceAll(' ', '-')}-` }, spec };
  await told(await request('POST', `${PATH}?fieldManager=kubeweb`, JSON.stringify(body)));
}

/** Heal it before its time. */
export async function heal(fault: { name: string }): Promise<void> {
  await told(await request('DELETE', `${PATH}/${encodeURIComponent(fault.name)}`));
}
