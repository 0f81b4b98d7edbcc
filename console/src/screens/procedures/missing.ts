/** What a form still lacks before it can be checked as a procedure: pure. */

import type { FieldTable, ProcedureTable, StepTable } from '../../api/procedures';
import type { Words } from '../../api/incidents';
import { t, type TextKey } from '../../i18n/text';

export interface Missing {
  /** Of the input, as `data-at` says it: `title.vi`, `step.0.text.en`. */
  at: string;
  label: string;
  /** Empty: nothing is written; else what is wrong with what is. */
  why: string;
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,60}$/;

function words(of: Words, at: string, label: string): Missing[] {
  const langs = (['vi', 'en'] as const).filter((lang) => !of[lang].trim());
  if (!langs.length) return [];
  const which = langs.map((lang) => t(`sop_lang_${lang}`)).join(', ');
  return [{ at: `${at}.${langs[0]}`, label: `${label} · ${which}`, why: '' }];
}

function id(of: string, at: string, where: string): Missing[] {
  if (NAME.test(of)) return [];
  return [{ at: `${at}.id`, label: `${where}${t('sop_id')}`, why: of ? t('sop_id_hint') : '' }];
}

function field(of: FieldTable, at: string, where: string): Missing[] {
  const label = `${where}${t('sop_field')} ${of.id || '?'}: `;
  return [
    ...id(of.id, at, label),
    ...words(of.label, `${at}.label`, `${label}${t('sop_question')}`),
    ...(of.kind === 'number' && !of.unit.trim()
      ? [{ at: `${at}.unit`, label: `${label}${t('sop_field_unit')}`, why: '' }]
      : []),
    ...(of.kind === 'choice' ? of.choices : []).flatMap((one, n) => [
      ...id(one.id, `${at}.choices.${n}`, `${label}${t('sop_choice')} ${n + 1}: `),
      ...words(one.label, `${at}.choices.${n}.label`, `${label}${t('sop_choice')} ${n + 1}`),
    ]),
  ];
}

function step(of: StepTable, n: number): Missing[] {
  const at = `step.${n}`;
  const where = `${t('sop_step')} ${n + 1}: `;
  return [
    ...id(of.id, at, where),
    ...words(of.title, `${at}.title`, `${where}${t('sop_step_title')}`),
    ...words(of.text, `${at}.text`, `${where}${t('sop_step_text')}`),
    ...of.field.flatMap((one, k) => field(one, `${at}.field.${k}`, where)),
    ...of.pause.flatMap((one, k) => [
      ...id(one.id, `${at}.pause.${k}`, `${where}${t('sop_pauses')}: `),
      ...words(one.label, `${at}.pause.${k}.label`, `${where}${t('sop_pauses')}`),
    ]),
  ];
}

/** In the order of the form. */
export function missingIn(table: ProcedureTable): Missing[] {
  return [
    ...id(table.id, 'head', ''),
    ...words(table.title, 'title', t('sop_title')),
    ...words(table.purpose, 'purpose', t('sop_purpose')),
    ...table.step.flatMap(step),
  ];
}

/** What stands at an input that somebody has left; empty: nothing is wrong. */
export function faultOf(value: string, kind: 'words' | 'name'): string {
  if (!value.trim()) return t('sop_not_filled' satisfies TextKey);
  return kind === 'name' && !NAME.test(value) ? t('sop_id_hint') : '';
}

/** Opens what is folded around the input, and goes there. */
export function goToField(at: string): void {
  const input = document.querySelector<HTMLElement>(`[data-at="${at}"]`);
  for (let box = input?.closest('details'); box; box = box.parentElement?.closest('details') ?? null) box.open = true;
  input?.focus();
  input?.scrollIntoView({ block: 'center' });
}
