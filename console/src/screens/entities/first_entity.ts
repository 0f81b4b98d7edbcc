/** A ready-made line that creates a first entity. */

const ENTITY = {
  id: 'urn:ngsi-ld:Building:1',
  type: 'Building',
  name: { type: 'Property', value: 'Trung tâm Hành chính công' },
  floors: { type: 'Property', value: 3 },
  location: { type: 'GeoProperty', value: { type: 'Point', coordinates: [106.65, 10.98] } },
};

export function createLine(root: string): string {
  return [
    `curl -i ${root}/ngsi-ld/v1/entities`,
    `-H "Authorization: Bearer $TOKEN"`,
    `-H 'Content-Type: application/json'`,
    `-d '${JSON.stringify(ENTITY)}'`,
  ].join(' \\\n  ');
}
