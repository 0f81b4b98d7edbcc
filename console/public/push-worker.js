/** Shows notices that come by web push, and opens the console where somebody taps one. */

self.addEventListener('push', (event) => {
  const said = event.data ? event.data.json() : {};
  event.waitUntil(
    self.registration.showNotification(said.title || 'dothi', {
      body: said.text || '',
      lang: said.language,
      // The same notice again replaces itself.
      tag: said.key,
      data: said.url || '/notices',
      requireInteraction: said.priority === 1,
      icon: '/favicon.svg',
    }),
  );
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const url = new URL(event.notification.data, self.location.origin);
  // Whatever the message says: only the console itself is opened.
  event.waitUntil(self.clients.openWindow(self.location.origin + url.pathname + url.search));
});
