/** Where a span is: `root.journey:3` is the fourth span of a journey, `root.journey` the whole of it. What a Diagnosis names and an address carries. */
export interface Place {
  root: string;
  id: string;
  /** The span's number in its journey. */
  span?: number;
}

export function placeOf(text: string): Place {
  const [id = '', number] = text.split(':');
  const root = id.split('.')[0] ?? '';
  return number && /^\d{1,4}$/.test(number) ? { root, id, span: Number(number) } : { root, id };
}
