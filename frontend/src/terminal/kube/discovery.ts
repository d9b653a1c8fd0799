/** Which resources there are, from aggregated discovery: read once, and again when a name is not known (a CRD may be new). */
import { Kube } from './client';
import { CommandError } from './errors';
import type { Resource } from './types';

export interface Discovered {
  items: {
    metadata: { name?: string };
    versions: {
      version: string;
      resources?: {
        resource: string;
        responseKind?: { kind: string };
        scope: string;
        singularResource: string;
        shortNames?: string[];
        categories?: string[];
        verbs: string[];
        subresources?: { subresource: string }[];
      }[];
    }[];
  }[];
}

export const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

/** Groups in the server's order; within a group its preferred version first. */
export function flatten(found: Discovered): Resource[] {
  return found.items.flatMap((group) =>
    group.versions.flatMap(({ version, resources }) =>
      (resources ?? []).map((one) => ({
        group: group.metadata.name ?? '',
        version,
        name: one.resource,
        singular: one.singularResource || (one.responseKind?.kind ?? one.resource).toLowerCase(),
        kind: one.responseKind?.kind ?? '',
        namespaced: one.scope === 'Namespaced',
        shortNames: one.shortNames ?? [],
        categories: one.categories ?? [],
        verbs: one.verbs,
        subresources: (one.subresources ?? []).map((sub) => sub.subresource),
      })),
    ),
  );
}

/** The resource that a name on the command line means: plural, singular, short or kind, perhaps with .version and .group. */
export function find(all: Resource[], asked: string): Resource | undefined {
  const name = asked.toLowerCase();
  const [first = '', ...rest] = name.split('.');
  const matches = (one: Resource, word: string) => one.name === word || one.singular === word || one.kind.toLowerCase() === word;
  const short = (one: Resource, word: string) => one.shortNames.includes(word);
  for (const test of [matches, short]) {
    const exact = all.find((one) => test(one, first) && rest.length === 0);
    if (exact) return exact;
    if (rest.length) {
      const group = rest.join('.');
      const version = rest[0];
      const tail = rest.slice(1).join('.');
      const found =
        all.find((one) => test(one, first) && one.group === group) ??
        all.find((one) => test(one, first) && one.version === version && one.group === tail) ??
        all.find((one) => test(one, first) && one.group.startsWith(group));
      if (found) return found;
    }
  }
  return undefined;
}

/** The name with its group, as kubectl prints it: deployment.apps, pod. */
export function qualified(resource: Resource): string {
  return resource.group ? `${resource.singular}.${resource.group}` : resource.singular;
}

export function apiVersion(resource: Resource): string {
  return resource.group ? `${resource.group}/${resource.version}` : resource.version;
}

export class Discovery {
  private known: Promise<Resource[]> | null = null;

  all(kube: Kube): Promise<Resource[]> {
    if (!this.known) {
      const asked = Promise.all(
        ['/api', '/apis'].map(async (path) => flatten((await (await kube.send('GET', path, { accept: ACCEPT })).json()) as Discovered)),
      ).then((found) => found.flat());
      this.known = asked;
      asked.catch(() => (this.known = null));
    }
    return this.known;
  }

  forget(): void {
    this.known = null;
  }

  /** Throws kubectl's words for a type that the server does not have. */
  async named(kube: Kube, asked: string): Promise<Resource> {
    const found = find(await this.all(kube), asked) ?? find(await this.again(kube), asked);
    if (!found) throw new CommandError(`the server doesn't have a resource type "${asked}"`);
    return found;
  }

  async ofKind(kube: Kube, version: string, kind: string): Promise<Resource> {
    const match = (one: Resource) => one.kind === kind && apiVersion(one) === version;
    const found = (await this.all(kube)).find(match) ?? (await this.again(kube)).find(match);
    if (!found) {
      throw new CommandError(
        `resource mapping not found for name: "" namespace: "" from "STDIN": no matches for kind "${kind}" in version "${version}"\nensure CRDs are installed first`,
      );
    }
    return found;
  }

  async category(kube: Kube, name: string): Promise<Resource[]> {
    return (await this.all(kube)).filter((one) => one.categories.includes(name) && one.verbs.includes('list'));
  }

  private async again(kube: Kube): Promise<Resource[]> {
    this.forget();
    return this.all(kube);
  }
}
