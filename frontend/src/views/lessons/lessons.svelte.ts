/** The lessons and how far one has come. The server judges each step: what is reached is reached by the cluster itself. */
import { get, request } from '../../api/http';
import { href } from '../../route.svelte';
import { store } from '../../state/store.svelte';

export interface Predict {
  question: string;
  options: string[];
  answer: number;
  because?: string;
}

export interface Step {
  title: string;
  text?: string;
  view?: string;
  manifest?: string;
  commands?: string[];
  refused?: boolean;
  predict?: Predict;
  condition?: { hint?: string };
}

export interface Progress {
  step: number;
  reached: boolean;
  predicted: number | null;
}

export interface Lesson {
  name: string;
  title: string;
  question?: string;
  minutes?: number;
  steps: Step[];
  cleanup?: string[];
  progress: Progress[];
}

export interface Standing {
  reached: boolean;
  predicted: number | null;
  said: string;
}

class Lessons {
  list = $state.raw<Lesson[]>([]);
  problem = $state('');
  loaded = $state(false);

  async load(): Promise<void> {
    try {
      this.list = (await get<{ lessons: Lesson[] }>('/explorer/lessons/')).lessons;
      this.problem = '';
      this.loaded = true;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** Where one stands in a step; the first question begins it. */
  async ask(name: string, step: number, more: { predicted?: number; again?: boolean } = {}): Promise<Standing> {
    const body = JSON.stringify({ step, namespace: store.namespace, ...more });
    const response = await request('POST', `/explorer/lessons/${encodeURIComponent(name)}/`, body);
    if (!response.ok) throw new Error(`The server answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
    const standing = (await response.json()) as Standing;
    if (standing.reached) this.note(name, { step, reached: true, predicted: standing.predicted });
    return standing;
  }

  private note(name: string, progress: Progress): void {
    this.list = this.list.map((one) => (one.name === name ? { ...one, progress: [...one.progress.filter((had) => had.step !== progress.step), progress] } : one));
  }

  /** Forget how far one has come. */
  async again(name: string): Promise<void> {
    await request('DELETE', `/explorer/lessons/${encodeURIComponent(name)}/`);
    this.list = this.list.map((one) => (one.name === name ? { ...one, progress: [] } : one));
  }
}

export const lessons = new Lessons();

export function reachedOf(lesson: Lesson): number {
  return lesson.progress.filter((one) => one.reached).length;
}

/** The step that comes next: the first that is not reached; the first of all when everything is. */
export function nextOf(lesson: Lesson): number {
  const reached = new Set(lesson.progress.filter((one) => one.reached).map((one) => one.step));
  const next = lesson.steps.findIndex((_, index) => !reached.has(index));
  return next < 0 ? 0 : next;
}

/** Where a step is taught: its own view if it names one, with the lesson beside it. */
export function stepHref(lesson: Lesson, step: number): string {
  const view = [...lesson.steps.slice(0, step + 1)].reverse().find((one) => one.view)?.view ?? '/';
  const [, first, name, ...rest] = view.split('/');
  const params = { lesson: lesson.name, step: String(step + 1), at: '' };
  return first === 'explore' && name ? href(name, rest, params) : href('pipeline', [], params);
}

export function spelt(text: string): string {
  return text.replaceAll('$(NAMESPACE)', store.namespace);
}
