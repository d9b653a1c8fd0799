/** The shapes that the server sends: journeys with their spans, and objects as summaries. */

export type Detail = Record<string, unknown> | null;

export interface Span {
  stage: string;
  start: number;
  end: number;
  outcome: string;
  detail: Detail;
}

export interface Journey {
  id: string;
  root: string;
  causes: string[];
  kind: string;
  component: string;
  actor: string;
  /** Who really asked, when the actor is somebody they acted as. */
  impersonator?: string;
  agent: string;
  origin: string;
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  start: number;
  end: number;
  code: number;
  outcome: string;
  reason: string;
  revision: number;
  spans: Span[];
}

export interface Owner {
  kind: string;
  name: string;
  uid: string;
}

export interface Summary {
  uid: string;
  namespace: string;
  name: string;
  rv: string;
  created: number | null;
  deleting: number | null;
  labels: Record<string, string>;
  owner: Owner | null;
}

export interface Pod extends Summary {
  node: string;
  phase: string;
  status: string;
  ready: string;
  isReady: boolean;
  restarts: number;
  images: string[];
  ip: string;
  qos?: string;
  /** Seconds of its grace period, while it is being deleted. */
  grace?: number | null;
  /** Cores and bytes that it asks for. */
  cpu?: number;
  memory?: number;
}

export interface NodeInfo extends Summary {
  zone: string;
  ready: string;
  reason: string;
  unschedulable: boolean;
  capacity: { cpu: number; memory: number; pods: number };
}

export interface Workload extends Summary {
  desired: number;
  current: number;
  ready: number;
  updated: number;
  available: number;
  images: string[];
  revision: string;
  conditions: { type: string; status: string; reason?: string; message?: string }[];
}

export interface Lease {
  name: string;
  namespace: string;
  renewed: number | null;
}

/** The Clock object: what it is told, and the speed in force. */
export interface ClockInfo extends Summary {
  speed: number;
  paused: boolean;
  step: number;
  running: number;
  next: number | null;
  message: string;
}

export interface Stage {
  name: string;
  component: string;
  line: 'all' | 'write' | 'read';
  title: string;
  description: string;
}

export interface Loop {
  name: string;
  title: string;
  description: string;
}

export interface Component {
  name: string;
  title: string;
  stages: string[];
  description: string;
}

export interface Pipeline {
  stages: Stage[];
  loops: Loop[];
  loop_steps: string[];
  components: Component[];
}

export interface Flow {
  kind: string;
  component: string;
  verb: string;
  resource: string;
  root: string;
  outcome: string;
  n: number;
}

export interface Example {
  name: string;
  title: string;
  description: string;
  /** What to look at once it is applied; '' when nothing is said. */
  watch: string;
  yaml: string;
}

/** What the right-hand panel explains. */
export type Subject =
  | { kind: 'none' }
  /** `span`: the number of the one that is pointed at. */
  | { kind: 'journey'; root: string; id: string; span?: number }
  | { kind: 'station'; name: string }
  | { kind: 'loop'; name: string }
  | { kind: 'node'; name: string }
  | { kind: 'pod'; uid: string }
  | { kind: 'workload'; uid: string };
