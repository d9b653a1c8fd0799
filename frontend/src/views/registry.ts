/**
 * The views of the page: one line each. A view is a folder beside this file; it is loaded when somebody goes there, and
 * answers one question. To add a view, add its line.
 */
import type { Component } from 'svelte';
import type { IconName } from '../ui/icons';

/** In the order of the top bar. A group of one is a link; more are a menu. */
export const GROUPS = ['Map', 'Workloads', 'Objects', 'Access', 'Metrics', 'Learn'] as const;

export interface View {
  id: string;
  title: string;
  icon: IconName;
  /** What people come here to ask. */
  question: string;
  group: (typeof GROUPS)[number];
  /** `g` and then this letter leads here. */
  key?: string;
  load: () => Promise<{ default: Component }>;
  /** Wants the whole width: what one says (left) and why (right) make room until they are asked for. */
  wide?: boolean;
  /** Tells of now, whatever moment is looked at; the page says so. */
  now?: boolean;
  /** Reached by links from elsewhere, not from the menu. */
  hidden?: boolean;
}

export const VIEWS: View[] = [
  {
    id: 'pipeline',
    title: 'Map',
    icon: 'map',
    question: 'What happens to a request, and why?',
    group: 'Map',
    key: 'm',
    load: () => import('./pipeline/Pipeline.svelte'),
  },
  {
    id: 'nodes',
    title: 'Cluster',
    icon: 'nodes',
    question: 'Where does everything run, and how does it fare?',
    group: 'Map',
    key: 'c',
    load: () => import('./nodes/Nodes.svelte'),
    wide: true,
  },
  {
    id: 'metrics',
    title: 'Metrics',
    icon: 'metrics',
    question: 'How busy is the cluster, and how fast?',
    group: 'Metrics',
    key: 'x',
    load: () => import('./metrics/Metrics.svelte'),
    wide: true,
  },
  {
    id: 'desired',
    title: 'Desired vs actual',
    icon: 'desired',
    question: 'What should be, what is, and what is in the way?',
    group: 'Workloads',
    key: 'd',
    load: () => import('./desired/Desired.svelte'),
    wide: true,
  },
  {
    id: 'scheduler',
    title: 'Scheduler',
    icon: 'scheduler',
    question: 'Why does this pod stand there, and where would another go?',
    group: 'Workloads',
    key: 's',
    load: () => import('./scheduler/Scheduler.svelte'),
    wide: true,
  },
  {
    id: 'termination',
    title: 'Termination',
    icon: 'termination',
    question: 'How does a pod end, step by step?',
    group: 'Workloads',
    key: 'e',
    load: () => import('./termination/Termination.svelte'),
    wide: true,
  },
  {
    id: 'daemonsets',
    title: 'DaemonSets',
    icon: 'daemonsets',
    question: 'Which nodes should run one, which do, and why not the others?',
    group: 'Workloads',
    key: 'n',
    load: () => import('./daemonsets/DaemonSets.svelte'),
    wide: true,
  },
  {
    id: 'graph',
    title: 'Graph',
    icon: 'graph',
    question: 'What hangs together with what?',
    group: 'Objects',
    key: 'g',
    load: () => import('./graph/Graph.svelte'),
    wide: true,
  },
  {
    id: 'events',
    title: 'Events',
    icon: 'events',
    question: 'What was said, and about what?',
    group: 'Objects',
    key: 'v',
    load: () => import('./events/Events.svelte'),
    wide: true,
  },
  {
    id: 'access',
    title: 'Access',
    icon: 'access',
    question: 'Who may do what, because of which rule, and what would mend it?',
    group: 'Access',
    key: 'a',
    load: () => import('./access/Access.svelte'),
    wide: true,
  },
  {
    id: 'object',
    title: 'Object',
    icon: 'object',
    question: 'What is it, why is it here, and what did it lead to?',
    group: 'Objects',
    load: () => import('./object/Object.svelte'),
    hidden: true,
  },
  {
    id: 'terminal',
    title: 'Terminal',
    icon: 'terminal',
    question: 'What does kubectl say?',
    group: 'Map',
    key: 't',
    load: () => import('./terminal/Full.svelte'),
    wide: true,
    now: true,
  },
  {
    id: 'share',
    title: 'Share',
    icon: 'share',
    question: 'How do I take this with me?',
    group: 'Map',
    load: () => import('./share/Share.svelte'),
    wide: true,
  },
  {
    id: 'lessons',
    title: 'Lessons',
    icon: 'lessons',
    question: 'How do I come to understand all this?',
    group: 'Learn',
    key: 'l',
    load: () => import('./lessons/Lessons.svelte'),
    wide: true,
    now: true,
  },
];

export function viewOf(id: string): View | undefined {
  return VIEWS.find((one) => one.id === id);
}
