/**
 * Acting as somebody else (`kubectl --as`): every request to the Kubernetes API goes out with the impersonation headers, and
 * the server asks RBAC whether one may. Kept for this tab; the page says so all the time.
 */
/** Tests have no tab. */
const tab = globalThis.sessionStorage as Storage | undefined;

class Acting {
  user = $state(tab?.getItem('acting.user') ?? '');
  groups = $state.raw<string[]>(JSON.parse(tab?.getItem('acting.groups') ?? '[]') as string[]);

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

  /** A browser cannot repeat a header, so that groups come together. */
  headers(path: string): Record<string, string> {
    if (!this.user || !/^\/apis?\//.test(path)) return {};
    return { 'Impersonate-User': this.user, ...(this.groups.length ? { 'X-KubeWeb-Impersonate-Groups': this.groups.join(',') } : {}) };
  }
}

export const acting = new Acting();
