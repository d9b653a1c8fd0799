/** Flags that every command takes. */
import { bool, int, list, text, type Flag } from './text/flags';

export const GLOBAL: readonly Flag[] = [
  text('namespace', 'n', 'If present, the namespace scope for this CLI request', { values: 'namespace' }),
  text('as', '', 'Username to impersonate for the operation. User could be a regular user or a service account in a namespace.', { values: 'user' }),
  list('as-group', '', 'Group to impersonate for the operation, this flag can be repeated to specify multiple groups.'),
  text('as-uid', '', 'UID to impersonate for the operation.'),
  text('context', '', 'The name of the kubeconfig context to use'),
  text('request-timeout', '', 'The length of time to wait before giving up on a single server request.', { default: '0' }),
  int('v', 'v', 'number for the log level verbosity', '0'),
  bool('help', 'h', 'Help for the command'),
];

export const OUTPUT = text('output', 'o', 'Output format. One of: (json, yaml, name, wide, custom-columns, jsonpath).', {
  values: ['json', 'yaml', 'name', 'wide', 'jsonpath=', 'custom-columns='],
});
export const SELECTOR = text('selector', 'l', "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.");
export const FIELD_SELECTOR = text('field-selector', '', "Selector (field query) to filter on, supports '=', '==', and '!='.");
export const ALL_NAMESPACES = bool('all-namespaces', 'A', 'If present, list the requested object(s) across all namespaces.');
export const ALL = bool('all', '', 'Select all resources in the namespace of the specified resource types.');
export const FILENAME = list('filename', 'f', 'What to use: "editor" is the text in the YAML editor, "-" what is piped in, any other name a file of this terminal or of your library.', { values: 'file' });
export const RECURSIVE = bool('recursive', 'R', 'Process the directory used in -f, --filename recursively.');
export const DRY_RUN = text('dry-run', '', 'Must be "none", "server", or "client".', { default: 'none', alone: 'unchanged', values: ['none', 'server', 'client'] });
export const FIELD_MANAGER = text('field-manager', '', 'Name of the manager used to track field ownership.');
export const MANAGED = bool('show-managed-fields', '', 'If true, keep the managedFields when printing objects in JSON or YAML format.');
export const CONTAINER = text('container', 'c', 'Container name.', { values: 'container' });
export const OVERWRITE = bool('overwrite', '', 'If true, allow values to be overwritten.');
