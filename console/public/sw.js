/* Keeps the shell of the duty page, so that it opens without network. It never keeps data: the page
   itself remembers what it saw, and queues what was done. */
const CACHE = 'dothi-duty-1';
const PAGE = '/duty';
const FIXED = ['/favicon.svg', '/duty.webmanifest', '/icon-192.png', '/icon-512.png'];
const PATIENCE_MS = 4000;

self.addEventListener('install', (event) => {
  event.waitUntil(keepPage().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((n) => n !== CACHE).map((n) => caches.delete(n))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('message', (event) => {
  if (Array.isArray(event.data?.keep)) event.waitUntil(keepOnly(event.data.keep));
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (event.request.mode === 'navigate' && url.pathname === PAGE) event.respondWith(page());
  else if (url.pathname.startsWith('/assets/') || FIXED.includes(url.pathname))
    event.respondWith(asset(event.request));
});

async function keepPage() {
  const cache = await caches.open(CACHE);
  const answer = await fetch(PAGE, { cache: 'no-cache' });
  if (!answer.ok) return;
  const html = await answer.clone().text();
  await cache.put(PAGE, answer);
  const linked = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]);
  await Promise.all([...new Set([...FIXED, ...linked])].map((path) => cache.add(path)));
}

/* Everything the page has loaded; what an older version left behind goes. */
async function keepOnly(paths) {
  const cache = await caches.open(CACHE);
  await keepPage();
  await Promise.all(paths.map(async (path) => (await cache.match(path)) || cache.add(path)));
  const html = await (await cache.match(PAGE)).text();
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    const isOld = pathname.startsWith('/assets/') && !paths.includes(pathname);
    if (isOld && !html.includes(pathname)) await cache.delete(request);
  }
}

async function page() {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(PAGE, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) return answer;
  } catch {
    // No network, or too slow: what was kept.
  }
  return (await cache.match(PAGE)) ?? Response.error();
}

async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}
