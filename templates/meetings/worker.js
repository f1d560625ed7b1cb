// Keeps the pages of meetings on this device, so that the preparation is there in a café without a
// network. The network comes first; what is kept is only for when there is none, and says so. It is
// private: signing out, or being signed out, throws it away.
"use strict";
const KEPT = "coffees";
const PAGES = 12;
const PATIENCE = 4000; // milliseconds, then the kept page is better than a blank one
// How often somebody has signed out: what was on its way to be kept by then is thrown away as well.
let leavings = 0;
const isPage = (url) => /^\/coffees\/\d+\/$/.test(url.pathname);

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

// The page that was opened first is not served by this script yet; it asks to be kept, with its files.
addEventListener("message", (event) => event.waitUntil(keepAll(event.data)));

const keepAll = async (addresses) => {
  const cache = await caches.open(KEPT);
  for (const address of addresses.map((each) => new URL(each)).filter(({ origin }) => origin === location.origin)) {
    if (isPage(address) || !await cache.match(address)) await keep(address, await fetch(address));
  }
};

const keep = async (request, response) => {
  const before = leavings;
  const cache = await caches.open(KEPT);
  if (!response.ok || response.redirected) return;
  await cache.put(request, await stamped(response.clone()));
  if (leavings !== before) return caches.delete(KEPT);
  const pages = (await cache.keys()).filter(({ url }) => isPage(new URL(url)));
  await Promise.all(pages.slice(0, -PAGES).map((page) => cache.delete(page)));
};

// When it was kept, in the words of this device.
const stamped = async (response) => {
  const headers = new Headers(response.headers);
  headers.set("X-Kept", new Date().toLocaleString([], { weekday: "long", hour: "2-digit", minute: "2-digit" }));
  return new Response(await response.blob(), { headers });
};

addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method === "POST" && url.pathname.endsWith("/logout/")) leavings += 1;
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && isPage(url)) event.respondWith(page(event));
  else if (request.mode !== "navigate" && !request.headers.has("HX-Request")) event.respondWith(file(request));
});

const page = async (event) => {
  const kept = await caches.match(event.request.url);
  const fresh = fetch(event.request);
  try {
    const response = await (kept ? Promise.race([fresh, impatience()]) : fresh);
    // Sent to the login: whoever sits here now may not see what was kept.
    if (response.type === "opaqueredirect") await caches.delete(KEPT);
    else event.waitUntil(keep(event.request.url, response.clone()));
    return response;
  } catch (problem) {
    if (!kept) throw problem;
    return told(kept);
  }
};

const impatience = () => new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE));

// Shows the notice that the page brings along for this moment.
const told = async (kept) => {
  const words = (await kept.text())
    .replace('id="kept" hidden', 'id="kept" role="status"')
    .replace('<span id="kept-at"></span>', `on ${kept.headers.get("X-Kept")}`);
  return new Response(words, { headers: kept.headers });
};

// Files have a new name with every change, so a kept one is as good as the network's.
const file = async (request) => {
  try {
    return await fetch(request);
  } catch (problem) {
    const kept = await caches.match(request, { ignoreVary: true });
    if (!kept) throw problem;
    return kept;
  }
};
