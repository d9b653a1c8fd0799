/** The shapes that commands work with. Objects are as the API sends them. */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

export interface Meta {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: unknown[];
}

/** Any object. Its spec and status differ by kind, and what they hold is the server's word. */
export interface Thing {
  apiVersion: string;
  kind: string;
  metadata: Meta;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [field: string]: any;
}

export interface ThingList extends Thing {
  items: Thing[];
}

export interface Cause {
  field?: string;
  message?: string;
  reason?: string;
}

/** A Kubernetes Status. */
export interface Status {
  kind: 'Status';
  status: string;
  message: string;
  reason?: string;
  code: number;
  details?: { name?: string; kind?: string; group?: string; causes?: Cause[]; retryAfterSeconds?: number };
}

/** One resource as discovery declares it. */
export interface Resource {
  group: string;
  version: string;
  name: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  verbs: string[];
  subresources: string[];
}

export interface TableColumn {
  name: string;
  type: string;
  priority: number;
}

export interface Table {
  kind: 'Table';
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  columnDefinitions: TableColumn[] | null;
  rows: { cells: unknown[]; object: Thing }[];
}
