/**
 * A collection that is looked at: live, or as it was at a past revision. What is told is about what is looked at now, or there is nothing
 * yet: of another namespace's objects none is shown under this one's name. At another moment of the same the old stays until the new is there.
 */
import { observe, type KubeObject, type Told } from '../api/watch';

export interface Place {
  path: string;
  params?: Record<string, string>;
}

export interface Observed<T> {
  /** Null until the first answer. */
  readonly told: Told<T> | null;
  /** Ask anew, now. */
  again: () => void;
}

/** For as long as the component stands that calls this. `place` null: nothing is looked at. `most`: objects that are read. */
export function observed<T extends KubeObject>(place: () => Place | null, at: () => number | null, most = Infinity): Observed<T> {
  let known = $state.raw<{ about: string; told: Told<T> } | null>(null);
  let turn = $state(0);
  // As words: the same place worked out again is the same.
  const about = $derived(JSON.stringify(place()));
  const moment = $derived(at());
  $effect(() => {
    void turn;
    const mine = about;
    const wanted = JSON.parse(mine) as Place | null;
    if (wanted) return observe<T>(wanted.path, wanted.params ?? {}, moment, (told) => (known = { about: mine, told }), most);
  });
  return {
    get told() {
      return known?.about === about ? known.told : null;
    },
    again: () => turn++,
  };
}
