/** The command table: everything that kubectl can do here. */
import type { Command } from '../command';
import { APPLYING } from './apply';
import { AUTH } from './auth';
import { CLUSTER } from './cluster';
import { CREATE } from './create';
import { DELETE } from './delete';
import { DESCRIBE } from './describe';
import { EXEC } from './exec';
import { EXPLAIN } from './explain';
import { GET } from './get';
import { LOGS } from './logs';
import { METADATA } from './metadata';
import { NODES } from './nodes';
import { ROLLOUT } from './rollout';
import { EDIT, SET } from './set';
import { WAIT } from './wait';
import { WORKLOADS } from './workloads';

export const COMMANDS: readonly Command[] = [
  CREATE,
  ...WORKLOADS,
  SET,
  EXPLAIN,
  GET,
  EDIT,
  DELETE,
  ROLLOUT,
  ...NODES,
  ...CLUSTER,
  AUTH,
  DESCRIBE,
  LOGS,
  ...EXEC,
  ...APPLYING,
  ...METADATA,
  ...WAIT,
];
