/** The time now, for words that go on with it: "3 s ago". Who reads it is woken every second. */
import { createSubscriber } from 'svelte/reactivity';
import { store } from './store.svelte';

const everySecond = createSubscriber((wake) => {
  const timer = setInterval(wake, 1000);
  return () => clearInterval(timer);
});

/** Cluster time of the moment that is looked at, seconds since the epoch; a past one stands still. */
function clusterNow(): number {
  if (store.at === null) everySecond();
  return store.serverNow();
}

/** Seconds since a moment of cluster time, none below zero. */
export const since = (moment: number): number => Math.max(0, Math.round(clusterNow() - moment));
