/** GET /api/v1/drill: only a program that runs a drill has it. */

import { get } from './client';

export interface Drill {
  id: string;
  title_vi: string;
  title_en: string;
  about_vi: string;
  about_en: string;
  origin: 'simulated' | 'replayed';
  origin_note_vi: string;
  origin_note_en: string;
  speed: number;
  duration_s: number;
  elapsed_s: number;
  calls: { at: string; text_vi: string; text_en: string }[];
  is_over: boolean;
  refused: number;
}

export const runningDrill = (): Promise<Drill> => get<Drill>('/drill');
