/** A procedure that is being written: new parts, renaming, time limits as people say them. */

import type { FieldTable, NextTable, ProcedureTable, StepTable, Test } from '../../api/procedures';
import { TESTS } from '../../api/procedures';
import type { Words } from '../../api/incidents';

const words = (): Words => ({ vi: '', en: '' });

export function newProcedure(): ProcedureTable {
  return {
    id: '',
    version: 1,
    title: words(),
    purpose: words(),
    first: 'step-1',
    source: '',
    is_example: false,
    priority: 2,
    valid_from: null,
    start: [],
    step: [newStep([])],
  };
}

export function freeName(stem: string, taken: string[]): string {
  let n = taken.length + 1;
  while (taken.includes(`${stem}-${n}`)) n += 1;
  return `${stem}-${n}`;
}

export function newStep(steps: StepTable[]): StepTable {
  return {
    id: freeName('step', steps.map((one) => one.id)),
    title: words(),
    text: words(),
    role: 'operator',
    limit: '',
    limit_source: '',
    waits_for_all: false,
    field: [],
    pause: [],
    escalate: [],
    next: [],
  };
}

export function newField(fields: FieldTable[]): FieldTable {
  return {
    id: freeName('field', fields.map((one) => one.id)),
    kind: 'text',
    label: words(),
    required: false,
    unit: '',
    least: null,
    most: null,
    choices: [],
  };
}

export function newBranch(): NextTable {
  return { to: [], field: '', is: null, is_not: null, at_least: null, below: null, any_of: null };
}

/** Another kind asks for other things: what does not belong to it goes. */
export function setKind(field: FieldTable, kind: FieldTable['kind']): void {
  field.kind = kind;
  field.unit = kind === 'number' ? field.unit || 'C62' : '';
  if (kind !== 'number') field.least = field.most = null;
  if (kind !== 'choice') field.choices = [];
  else if (field.choices.length < 2)
    field.choices = ['a', 'b'].map((id) => ({ id, label: words() }));
}

/** The test that a branch makes; null: none. */
export function testOf(branch: NextTable): Test | null {
  return TESTS.find((name) => branch[name] !== null) ?? null;
}

/** Which tests a field can be put to. */
export function testsFor(field: FieldTable): Test[] {
  if (field.kind === 'number') return ['at_least', 'below', 'is', 'is_not'];
  if (field.kind === 'choice') return ['is', 'is_not', 'any_of'];
  return field.kind === 'file' ? [] : ['is', 'is_not'];
}

export function setTest(branch: NextTable, field: FieldTable | undefined, test: Test | null): void {
  branch.field = field && test ? field.id : '';
  for (const name of TESTS) branch[name] = null as never;
  if (!field || !test) return;
  const first = field.choices[0]?.id ?? '';
  if (test === 'any_of') branch.any_of = first ? [first] : [];
  else if (field.kind === 'number') branch[test] = 0;
  else if (field.kind === 'checkbox') branch[test] = true as never;
  else branch[test] = first as never;
}

/** Everything that names the step follows. */
export function renameStep(table: ProcedureTable, step: StepTable, name: string): void {
  const before = step.id;
  step.id = name;
  if (table.first === before) table.first = name;
  for (const other of table.step)
    for (const branch of other.next) branch.to = branch.to.map((one) => (one === before ? name : one));
}

export function removeStep(table: ProcedureTable, step: StepTable): void {
  table.step = table.step.filter((one) => one !== step);
  for (const other of table.step)
    for (const branch of other.next) branch.to = branch.to.filter((one) => one !== step.id);
  if (table.first === step.id) table.first = table.step[0]?.id ?? '';
}

export const LIMIT_UNITS = ['min', 'h', 'days', 'working days', 'working hours'] as const;
export type LimitUnit = (typeof LIMIT_UNITS)[number];

/** `2 working days` -> 2 and its unit; null: written in another way. */
export function parseLimit(text: string): { amount: number; unit: LimitUnit } | null {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(working\s+)?(min|minutes?|h|hours?|days?)\s*$/.exec(text);
  if (!found) return null;
  const isWorking = found[2] !== undefined;
  const letter = found[3]!.slice(0, 1);
  if (isWorking && letter === 'm') return null;
  const unit = letter === 'd' ? 'days' : letter === 'h' ? (isWorking ? 'hours' : 'h') : 'min';
  return { amount: Number(found[1]), unit: (isWorking ? `working ${unit}` : unit) as LimitUnit };
}

export function limitOf(amount: number, unit: LimitUnit): string {
  return `${amount} ${amount === 1 ? unit.replace(/s$/, '') : unit}`;
}

/** Another version of what is there; comments stay where the text is edited. */
export function withVersion(text: string, version: number): string {
  return text.replace(/^version\s*=\s*\d+/m, `version = ${version}`);
}
