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
}

export const TABS: Tab[] = [
  { id: 'yaml', title: 'YAML', icon: 'yaml', load: () => import('../editor/Editor.svelte'), journeys: true },
  { id: 'examples', title: 'Examples', icon: 'examples', load: () => import('./Examples.svelte') },
  { id: 'journeys', title: 'Journeys', icon: 'journeys', load: () => import('../journeys/Journeys.svelte') },
];
