/** How the page is arranged just now: what is open, which tab, which theme. Not in the address: it is the reader's own. */

type Sheet = 'view' | 'say' | 'why';

const remembered = (name: string, otherwise: string) => localStorage.getItem(`kubeweb.${name}`) ?? otherwise;

class Shell {
  /** On a phone one region shows at a time. */
  sheet = $state<Sheet>('view');
  tab = $state(remembered('tab', 'yaml'));
  /** Whether the left region is open: on narrow-minded views, and on views that want the whole width. */
  open = $state({ narrow: remembered('open.narrow', '1') === '1', wide: remembered('open.wide', '0') === '1' });
  palette = $state(false);
  menu = $state(false);
  theme = $state(remembered('theme', ''));

  show(tab: string): void {
    this.tab = tab;
    localStorage.setItem('kubeweb.tab', tab);
    this.sheet = 'say';
  }

  toggle(kind: 'narrow' | 'wide'): void {
    this.open[kind] = !this.open[kind];
    localStorage.setItem(`kubeweb.open.${kind}`, this.open[kind] ? '1' : '0');
  }

  /** Light becomes dark and back; what the system says counts until then. */
  turn(): void {
    const dark = this.theme ? this.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    this.theme = dark ? 'light' : 'dark';
    localStorage.setItem('kubeweb.theme', this.theme);
  }
}

export const shell = new Shell();
