import { expect, test, vi } from 'vitest';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
const { foundSubjects } = await import('../src/parts/subject_search');

const known = {
  alarms: [{ id: 12, title: 'Mực nước cao', title_en: 'High water', text: '', place: 'Trạm Phú An', entity: 'urn:x:1', raised_at: '2026-11-22T03:00:00Z' }],
  incidents: [
    { incident: { id: 3, title: 'Ngập bến phà', title_en: '', opened_at: '2026-11-22T03:00:00Z' } },
    { incident: { id: 4, title: 'Cháy kho', title_en: 'Warehouse fire', opened_at: '2026-11-22T03:00:00Z' } },
  ],
  warnings: [{ id: 5, headline: 'Triều cường', sent_at: null, created_at: '2026-11-22T03:00:00Z' }],
  entities: [{ id: 'urn:ngsi-ld:WaterObserved:pa', name: 'Trạm Phú An' }],
} as unknown as Parameters<typeof foundSubjects>[0];

function found(question: string, without: string[] = []): string[] {
  const nameOf = (subject: string) => subject.replace('incident:', 'Sự cố ');
  return foundSubjects(known, question, { without, nameOf }).map((one) => one.id);
}

test('words find things without diacritics, in either language and by number', () => {
  // Alarms are the answer of the server to the words.
  expect(found('ben pha')).toEqual(['alarm:12', 'incident:3']);
  expect(found('warehouse')).toEqual(['alarm:12', 'incident:4']);
  expect(found('sự cố 4')).toEqual(['alarm:12', 'incident:4']);
  expect(found('phu an')).toEqual(['alarm:12', 'entity:urn:ngsi-ld:WaterObserved:pa']);
  expect(found('trieu', ['alarm:12'])).toEqual(['warning:5']);
  expect(found(' ')).toEqual([]);
});

test('what is linked is not offered, and what nothing lists is taken as it is typed', () => {
  expect(found('ben pha', ['alarm:12', 'incident:3'])).toEqual([]);
  expect(found('camera:urn:ngsi-ld:Camera:A3', ['alarm:12'])).toEqual(['camera:urn:ngsi-ld:Camera:A3']);
});

test('what is chosen brings its title in both languages', () => {
  const nameOf = (subject: string) => subject;
  const [alarm] = foundSubjects(known, 'phu an', { without: [], nameOf });
  expect([alarm?.title, alarm?.title_en]).toEqual(['Mực nước cao – Trạm Phú An', 'High water – Trạm Phú An']);
});
