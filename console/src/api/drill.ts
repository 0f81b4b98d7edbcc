/** GET /api/v1/drill: only a program that runs a drill has it. */

import { request } from './client';

export interface Drill {
  id: string;
  title_vi: string;
  title_en: string;
  about_vi: string;
  about_en: string;
  speed: number;
  duration_s: number;
  elapsed_s: number;
  calls: { at: string; text_vi: string; text_en: string }[];
  is_over: boolean;
  refused: number;
}

export async function runningDrill(): Promise<Drill> {
  return (await (await request('/api/v1/drill')).json()) as Drill;
}
