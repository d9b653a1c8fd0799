/** Finding one node or pod among very many by a part of its name: what begins so comes first. Pure. */
import type { NodeInfo, Pod } from '../../types';

export type Hit = { kind: 'node'; node: NodeInfo } | { kind: 'pod'; pod: Pod };

/** Up to `most` nodes and pods whose names have all of `words` in them; `namespace/name` works, too. */
export function search(words: string, nodes: ReadonlyMap<string, NodeInfo>, pods: ReadonlyMap<string, Pod>, most = 8): Hit[] {
  const query = words.trim().toLowerCase();
  if (!query) return [];
  const first: Hit[] = [];
  const rest: Hit[] = [];
  const exact = nodes.get(query);
  if (exact) first.push({ kind: 'node', node: exact });
  for (const [name, node] of nodes) {
    if (first.length + rest.length >= most) break;
    if (node === exact) continue;
    const at = name.indexOf(query);
    if (at >= 0) (at === 0 ? first : rest).push({ kind: 'node', node });
  }
  for (const [key, pod] of pods) {
    if (first.length >= most || first.length + rest.length >= most * 2) break;
    const at = key.indexOf(query);
    if (at >= 0) (at === 0 || at === pod.namespace.length + 1 ? first : rest).push({ kind: 'pod', pod });
  }
  return [...first, ...rest].slice(0, most);
}
