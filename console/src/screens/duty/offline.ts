/** Lets the page open without network: the service worker keeps its shell. Only with HTTPS, or on
 * this machine. */

export async function keepShell(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    const found = await navigator.serviceWorker.register('/sw.js', { scope: '/duty' });
    await navigator.serviceWorker.ready;
    const loaded = performance.getEntriesByType('resource').map((entry) => new URL(entry.name));
    const assets = loaded
      .filter((url) => url.origin === location.origin && url.pathname.startsWith('/assets/'))
      .map((url) => url.pathname);
    found.active?.postMessage({ keep: [...new Set(assets)] });
  } catch {
    // The page works as before; only without network it will not open.
  }
}
