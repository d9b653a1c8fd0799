/** A train as it is drawn: in its journey's colour. */
import type { Train } from './position';

export interface Shown extends Train {
  colour: number;
  root: string;
}
