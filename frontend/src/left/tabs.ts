/** What one says to the cluster: the tabs of the left region, one line each, loaded when opened. */
import type { Component } from 'svelte';
import type { IconName } from '../ui/icons';

export interface Tab {
  id: string;
  title: string;
  icon: IconName;
  load: () => Promise<{ default: Component }>;
  /** Whether the latest journeys stand below. */
  journeys?: boolean;
  /** How wide the region is at first, in pixels; the person's own width is remembered. */
  width?: number;
}

export const TABS: Tab[] = [
  { id: 'yaml', title: 'YAML', icon: 'yaml', load: () => import('../editor/Editor.svelte'), journeys: true },
  { id: 'terminal', title: 'Terminal', icon: 'terminal', load: () => import('../terminal/Terminal.svelte'), width: 560 },
  { id: 'examples', title: 'Examples', icon: 'examples', load: () => import('./Examples.svelte') },
  { id: 'journeys', title: 'Journeys', icon: 'journeys', load: () => import('../journeys/Journeys.svelte') },
];
