// Opens the answer page without a network, on a phone that its owner called her own. It never sees another page.
const CACHE = "ascolto-answer";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(
    fetch(event.request).catch(async () => {
      const cache = await caches.open(CACHE);
      const page = event.request.mode === "navigate";
      return (await cache.match(event.request, { ignoreSearch: page, ignoreVary: true })) || Response.error();
    }),
  );
});
