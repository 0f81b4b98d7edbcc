/** Files that go with a CAP message of another authority (CAP 1.2, 3.2.3). */

import { sizeText } from '../../format/number';
import { settings } from '../../state/settings.svelte';

export interface Resource {
  description: string;
  kind: string;
  /** With a comma before it; empty: the message does not say. */
  size: string;
  /** Only of the web: anything else that a stranger wrote there is not to be followed. */
  uri: string;
}

/** Of its first text; all texts carry the same ones. */
export function resourcesOf(document: string): Resource[] {
  const xml = new DOMParser().parseFromString(document, 'application/xml');
  const info = xml.getElementsByTagNameNS('*', 'info')[0];
  return [...(info?.getElementsByTagNameNS('*', 'resource') ?? [])].map((node) => {
    const said = (name: string) => node.getElementsByTagNameNS('*', name)[0]?.textContent?.trim() ?? '';
    const uri = said('uri');
    const size = Number(said('size'));
    return {
      description: said('resourceDesc') || uri,
      kind: said('mimeType'),
      size: size ? `, ${sizeText(size, settings.lang)}` : '',
      uri: /^https?:\/\//i.test(uri) ? uri : '',
    };
  });
}
