/** What a form lacks is said in the language of the screen, not in that of the browser. */

import { formatNumber } from '../format/number';
import { t } from '../i18n/text';
import { settings } from '../state/settings.svelte';

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** What a control reports, as far as it matters here. */
export interface Lack {
  validity: Pick<
    ValidityState,
    'valueMissing' | 'tooShort' | 'badInput' | 'rangeUnderflow' | 'rangeOverflow'
  >;
  type: string;
  minLength?: number;
  min?: string;
  max?: string;
}

/** Empty: the browser's own words, which only rare cases need. */
export function lackText({ validity, type, minLength = 0, min = '', max = '' }: Lack): string {
  if (validity.valueMissing) {
    const isChosen = ['radio', 'checkbox', 'select-one', 'file'].includes(type);
    return t(isChosen ? 'form_choose' : 'form_write');
  }
  if (validity.tooShort) return t('form_short', { n: minLength });
  if (validity.badInput) return t(type === 'number' ? 'form_number' : 'form_write');
  const bound = (text: string) => (type === 'number' ? formatNumber(Number(text), settings.lang) : text);
  if (validity.rangeUnderflow) return t('form_least', { n: bound(min) });
  if (validity.rangeOverflow) return t('form_most', { n: bound(max) });
  return '';
}

function isControl(target: EventTarget | null): target is Control {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement
  );
}

function forget(form: HTMLFormElement | null | undefined): void {
  for (const one of form?.elements ?? []) if (isControl(one)) one.setCustomValidity('');
}

/** For every form of the page; what was said is forgotten when somebody writes or sends again. */
export function useOwnWords(page: Document): void {
  page.addEventListener(
    'invalid',
    (event) => {
      if (!isControl(event.target)) return;
      event.target.setCustomValidity('');
      event.target.setCustomValidity(lackText(event.target as Lack));
    },
    true,
  );
  page.addEventListener('input', (event) => isControl(event.target) && forget(event.target.form), true);
  page.addEventListener(
    'click',
    (event) => forget((event.target as Element | null)?.closest<HTMLButtonElement>('button')?.form),
    true,
  );
}
