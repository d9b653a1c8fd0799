/** What is worth knowing of any object at a glance: the columns that kubectl prints, and its conditions. */
export interface Table {
  columnDefinitions: { name: string; priority?: number; description?: string }[];
  rows: { cells: unknown[] }[];
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** The columns with their values, without the name and what is empty. */
export function facts(table: Table): { name: string; value: string }[] {
  const cells = table.rows[0]?.cells ?? [];
  return table.columnDefinitions
    .map((column, position) => ({ name: column.name, value: String(cells[position] ?? '') }))
    .filter((one) => one.name !== 'Name' && !['', '<none>', '<unset>'].includes(one.value));
}

const GOOD_WHEN_FALSE = /Pressure|Unavailable|Failure|Failed|Suspended|DisruptionTarget|Disrupted|NamesConflict|Degraded|Stalled|DeletionContentFailure|ContentRemaining|FinalizersRemaining|ParsingFailure/;

export function conditionTone(condition: Condition): 'green' | 'red' | 'amber' {
  if (condition.status === 'Unknown') return 'amber';
  const good = GOOD_WHEN_FALSE.test(condition.type) ? 'False' : 'True';
  return condition.status === good ? 'green' : 'red';
}
