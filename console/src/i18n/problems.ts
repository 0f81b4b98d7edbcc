/** What the hub refuses, in the reader's language: its own words are English. */

import { ApiError } from '../api/client';
import { settings } from '../state/settings.svelte';
import { PROBLEMS_VI } from './problems.vi';
import { t } from './text';

export interface Told {
  what: string;
  /** Empty: nothing to do about it is known. */
  remedy: string;
}

/** What went wrong and what to do, of anything that was thrown. */
export function problemText(error: unknown): Told {
  if (!(error instanceof ApiError)) return { what: String(error), remedy: '' };
  if (error.status === 0) return { what: t('hub_unreachable'), remedy: '' };
  const known = settings.lang === 'vi' ? PROBLEMS_VI[error.code] : undefined;
  if (!known) return { what: `${error.title}: ${error.detail}`, remedy: error.remedy };
  const [said, remedy = '', isDetailed = false] = known;
  // The detail names values and fields; it is English, and better than nothing where it matters.
  return { what: isDetailed ? `${said} (${error.detail})` : said, remedy };
}
