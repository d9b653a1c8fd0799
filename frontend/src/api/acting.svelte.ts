/**
 * Acting as somebody else (`kubectl --as`): every request to the Kubernetes API and to the explorer says so in a header, every WebSocket
 * among its subprotocols, and the server asks RBAC whether one may, each time and for as long as it
 * lasts. Kept for this tab; the page says so all the time.
 */
/** Tests have no tab. */
const tab = globalThis.sessionStorage as Storage | undefined;

/** What a person keeps for themselves is theirs whomever they act as: it is asked for as oneself. */
const OWN = /^\/explorer\/(manifests|lessons)\//;
const ASKED = /^\/(apis?|explorer)\//;

/** A browser cannot repeat a header, nor say names outside Latin-1 in one: this one stands for all of `Impersonate-…`. */
export const HEADER = 'X-KubeWeb-Impersonate';

/** Whom to act as, in ASCII, as a header and a WebSocket's subprotocol can carry it; nothing for oneself. */
export function impersonating(user: string, groups: string[], uid = ''): string[] {
  if (!user) return [];
  const bytes = new TextEncoder().encode(JSON.stringify({ user, groups, ...(uid ? { uid } : {}) }));
  const encoded = btoa(String.fromCharCode(...bytes));
  return [`base64url.impersonate.kubeweb.dev.${encoded.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`];
}

class Acting {
  user = $state(tab?.getItem('acting.user') ?? '');
  groups = $state.raw<string[]>(JSON.parse(tab?.getItem('acting.groups') ?? '[]') as string[]);
  /** Why one may not act as them (any more); empty while one may. */
  refused = $state('');

  as(user: string, groups: string[]): void {
    this.user = user;
    // Everybody who is somebody has this one; it comes by itself.
    this.groups = groups.filter((one) => one !== 'system:authenticated');
    tab?.setItem('acting.user', this.user);
    tab?.setItem('acting.groups', JSON.stringify(this.groups));
  }

  oneself(): void {
    this.as('', []);
  }

  headers(path: string): Record<string, string> {
    const [token] = this.protocols();
    return !token || !ASKED.test(path) || OWN.test(path) ? {} : { [HEADER]: token };
  }

  /** What a WebSocket offers, besides its own protocol. */
  protocols(): string[] {
    return impersonating(this.user, this.groups);
  }
}

export const acting = new Acting();
