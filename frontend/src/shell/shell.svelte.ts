/** How the page is arranged just now: what is open, which tab, which theme. Not in the address: it is the reader's own. */

import { TABS } from '../left/tabs';

type Sheet = 'view' | 'say' | 'why';

const remembered = (name: string, otherwise: string) => localStorage.getItem(`kubeweb.${name}`) ?? otherwise;

/** The least and the usual width of the left region, in pixels. */
export const LEAST = 240;
const USUAL = 316;

class Shell {
  /** Widths that the reader chose, by tab. */
  private widths = $state<Record<string, number>>(JSON.parse(remembered('widths', '{}')));

  /** On a phone one region shows at a time. */
  sheet = $state<Sheet>('view');
  tab = $state(remembered('tab', 'yaml'));
  /** Whether the left region is open: on narrow-minded views, and on views that want the whole width. */
  open = $state({ narrow: remembered('open.narrow', '1') === '1', wide: remembered('open.wide', '0') === '1' });
  /** Whether the map names the loops that have nothing to do. */
  named = $state(remembered('named', '0') === '1');
  palette = $state(false);
  menu = $state(false);
  /** Whether the keys are being told. */
  help = $state(false);
  theme = $state(remembered('theme', ''));

  show(tab: string): void {
    this.tab = tab;
    localStorage.setItem('kubeweb.tab', tab);
    this.sheet = 'say';
  }

  /** How wide the left region is with the tab that is open. */
  get width(): number {
    const usual = TABS.find((one) => one.id === this.tab)?.width ?? USUAL;
    return this.widths[this.tab] ?? Math.min(usual, Math.max(USUAL, Math.round(innerWidth * 0.39)));
  }

  /** 0 gives the usual width back. */
  resize(width: number): void {
    if (width) this.widths[this.tab] = Math.max(LEAST, Math.round(width));
    else delete this.widths[this.tab];
    localStorage.setItem('kubeweb.widths', JSON.stringify(this.widths));
  }

  toggle(kind: 'narrow' | 'wide'): void {
    this.open[kind] = !this.open[kind];
    localStorage.setItem(`kubeweb.open.${kind}`, this.open[kind] ? '1' : '0');
  }

  name(named: boolean): void {
    this.named = named;
    localStorage.setItem('kubeweb.named', named ? '1' : '0');
  }

  /** Light becomes dark and back; what the system says counts until then. */
  turn(): void {
    const dark = this.theme ? this.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    this.theme = dark ? 'light' : 'dark';
    localStorage.setItem('kubeweb.theme', this.theme);
  }
}

export const shell = new Shell();
