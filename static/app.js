// The only script of ours that every page loads. Without it, links and forms do the same, one page at a time.
(() => {
  "use strict";
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

  // Theme. The server remembers it for a signed-in person and prints data-theme; the browser remembers it otherwise.
  const signedIn = !one(".signed-out");
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark.matches;
  const remembered = signedIn ? null : localStorage.getItem("theme");
  if (remembered) root.dataset.theme = remembered;

  const toggleTheme = (button) => {
    root.dataset.theme = isDark() ? "light" : "dark";
    button.value = root.dataset.theme;
    if (!signedIn) localStorage.setItem("theme", root.dataset.theme);
    document.dispatchEvent(new CustomEvent("theme:change"));
  };

  // Dialogs. Their openers are links to a page with the same form wherever there is one.
  const open = (name) => {
    const dialog = document.getElementById(name);
    if (!dialog) return false;
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("form :is(input:not([type=hidden]), textarea)")?.focus();
    return true;
  };

  // Capturing, so that the theme button has its value before htmx reads the form.
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    if (hit("[data-theme-toggle]")) toggleTheme(hit("[data-theme-toggle]"));
    const plainClick = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (plainClick && hit("[data-dialog]") && open(hit("[data-dialog]").dataset.dialog)) event.preventDefault();
    if (hit("[data-close]") || event.target.matches("dialog")) event.target.closest("dialog")?.close();
    if (hit("[data-dismiss]")) hit(".toast").remove();
    if (hit("[data-copy]")) copy(hit("[data-copy]"));
    if (hit("[data-print]")) print();
    if (plainClick && hit("[data-choose]")) { event.preventDefault(); chooseAll(hit("[data-choose]")); }
  }, true);

  // The backlog: one choice for everybody.
  const chooseAll = (link) => all(`[type=radio][value="${link.dataset.choose}"]`, link.closest("form"))
    .forEach((choice) => { choice.checked = true; });

  // Toasts. A message stays long enough to be read twice, and as long as it is pointed at or holds the focus.
  const readingTime = 12000;
  const dismissLater = (toast) => setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) dismissLater(toast);
    else toast.remove();
  }, readingTime);
  const watchToasts = () => all("#toasts .toast:not([data-watched])").forEach((toast) => {
    toast.dataset.watched = "";
    if (!toast.matches(".stays")) dismissLater(toast);
  });
  const failed = (words) => {
    const toast = one("#toast-of-failure").content.firstElementChild.cloneNode(true);
    toast.querySelector("p").textContent = words;
    toast.classList.add("stays");
    toast.setAttribute("role", "alert");
    // An open dialog covers everything else.
    (one("dialog[open] > article") ?? one("#toasts")).append(toast);
  };
  const notSaved = () => failed(navigator.onLine
    ? "That did not save. Your words are still here. Try again?"
    : "You are offline, so that is not saved yet. Try again when you are back.");
  document.addEventListener("htmx:sendError", notSaved);
  document.addEventListener("htmx:timeout", notSaved);
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status >= 500) notSaved();
    else failed("That is not possible any more. Reload the page to see how things stand.");
  });
  document.addEventListener("htmx:beforeRequest", () => one(".toast.stays")?.remove());

  // Rows: j and k move, number keys press the outcome with the same data-key.
  const rows = () => all("main [data-row]");
  const current = () => one("[data-row].is-current");
  let here = { row: null, at: 0 };
  const mark = (row) => {
    if (row !== current()) {
      current()?.classList.remove("is-current");
      row?.classList.add("is-current");
    }
    here = { row, at: rows().indexOf(row) };
  };
  const select = (row) => {
    if (!row) return;
    mark(row);
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    const list = rows();
    const at = list.indexOf(current());
    select(list[Math.max(0, Math.min(at + by, list.length - 1))]);
  };
  let lastFocus = null;
  document.addEventListener("focusin", (event) => {
    lastFocus = event.target;
    const row = event.target.closest("[data-row]");
    if (row) mark(row);
  });

  // An outcome replaces its row, and with it the button that had the focus. The new row takes its place;
  // if the row is gone, the one that moved up does. Watching the page itself works for every kind of swap.
  let lastAnswered = "";
  const keepPlace = () => {
    const { row, at } = here;
    if (!row || row.isConnected) return mark(current() ?? row ?? rows()[0] ?? null);
    const list = rows();
    const replaced = list.find((candidate) => candidate.id === row.id);
    if (replaced) lastAnswered = replaced.id;
    const next = replaced ?? list[Math.min(at, list.length - 1)] ?? null;
    const lostFocus = row.contains(lastFocus) && document.activeElement === document.body;
    if (lostFocus && next) select(next);
    else mark(next);
    if (lostFocus && !next) one("#main").focus();
  };

  // A second press while a form is on its way is a slip. Disabling the button would lose the focus.
  const release = (form) => form.removeAttribute("aria-busy");
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog") return;
    if (form.ariaBusy === "true") {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.ariaBusy = "true";
    setTimeout(() => { if (!form.classList.contains("htmx-request")) release(form); }, 3000);
  }, true);
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful, xhr } = event.detail;
    release(elt);
    if (!successful || xhr.status === 422) return;
    if (elt.matches("dialog form[method=post]")) {
      elt.reset();
      elt.closest("dialog").close();
    }
    const form = elt.closest("[data-typed]");
    if (form && !typedSince) sessionStorage.removeItem(form.dataset.typed);
  });
  addEventListener("pageshow", () => all("form[aria-busy]").forEach(release));

  // Keys. Ignored in fields, menus and dialogs, and wholly if the person switched them off (WCAG 2.1.4).
  const press = (selector, inside = document) => inside?.querySelector(selector)?.click();
  const undo = () => {
    const nearest = ["#toasts", "[data-row].is-current", `[id="${CSS.escape(lastAnswered)}"]`, "main"];
    nearest.map((place) => one(`${place} [data-undo]`)).find(Boolean)?.click();
  };
  // The search of this page; a second / goes from there to the search over everything.
  const search = () => {
    const box = one("main [type=search]");
    if (box) box.focus();
    else open("find");
  };
  const goesOn = ({ key, target }) => key === "/" && target.matches("main [type=search]") && !target.value;
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    s: () => press("[data-snooze]", current()),
    r: () => press("[data-rest]", current()),
    e: () => press("[data-else]", current()),
    d: () => {
      const draft = current()?.querySelector("[data-draft]");
      draft?.focus(); // so that Tab goes on inside it
      draft?.click();
    },
    o: () => press("[data-open]", current()),
    ",": () => press("[data-earlier]", current()),
    ".": () => press("[data-later]", current()),
    ArrowLeft: () => press("[data-back]", current()),
    ArrowRight: () => press("[data-forward]", current()),
    z: undo,
    n: () => press('[data-dialog="log"]'),
    "?": () => open("shortcuts"),
    "/": search,
  };
  const repeatable = ["j", "k"];
  // A row of a form is not a field of it.
  const formAt = (place) => place.form ?? (one("dialog[open]") ? null : current()?.closest("form"));
  let ledAt = 0;
  document.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) { formAt(event.target)?.requestSubmit(); return; }
    if (root.dataset.shortcuts !== "on" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (goesOn(event) && open("find")) { event.preventDefault(); return; }
    if (event.target.closest("input:not([data-row] [type=radio]), textarea, select, [contenteditable], dialog, [popover]")) return;
    if (event.repeat && !repeatable.includes(key)) return;
    const place = Date.now() - ledAt < 900 && /^[a-z]$/.test(key) && one(`[data-go="${key}"]`);
    ledAt = key === "g" ? Date.now() : 0;
    if (place) { event.preventDefault(); place.click(); }
    else if (/^[1-9]$/.test(key)) {
      event.preventDefault(); // or the digit lands in the field that a menu opens with
      press(`[data-key="${key}"]`, current());
    }
    else if (Object.hasOwn(keys, key)) { event.preventDefault(); keys[key](); }
  });

  // What was found: the arrows walk from the field through it and back.
  document.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const place = by && event.target.closest("[data-find]");
    if (!place) return;
    const stops = all("[type=search], #found [data-open]", place);
    const next = stops[stops.indexOf(event.target) + by];
    if (!stops.includes(event.target) || !next) return;
    event.preventDefault();
    next.focus();
  });

  // Drafts. The links open what stands in the fields, also after it was changed; lines end as RFC 6068 asks.
  const carry = (link, words) => {
    const lineEnd = link.protocol === "mailto:" ? "\r\n" : "\n";
    const fields = link.dataset.carries.split(" ").map((name) => words.querySelector(`[name="${name}"]`));
    const query = fields.filter(Boolean).map(({ name, value }) =>
      `${name}=${encodeURIComponent(value.replaceAll("\n", lineEnd))}`);
    link.href = `${link.href.split("?")[0]}?${query.join("&")}`;
  };
  document.addEventListener("input", (event) => {
    const words = event.target.closest("[data-words]");
    if (words) all("a[data-carries]", words).forEach((link) => carry(link, words));
  });
  const copy = async (button) => {
    const field = document.getElementById(button.dataset.copy);
    const said = button.parentElement.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "Copied.";
    } catch { // not allowed here, or not offered without https
      field.select();
      said.textContent = "Selected. Copy it with your usual keys.";
    }
  };

  // People: the bulk bar appears with the first tick, and after a search counts what is still ticked. Everyone on all
  // pages is an offer to whoever has ticked the whole page; htmx fetches how many that are once it shows.
  const countTicks = (form) => {
    const bar = form.querySelector(".bulkbar");
    if (!bar) return;
    const boxes = all('[name="ids"]', form);
    const ticked = boxes.filter((box) => box.checked).length;
    const offer = bar.querySelector("[data-all-pages]");
    const everyone = offer?.querySelector("input");
    all("[data-all]", form).forEach((box) => { box.checked = ticked > 0 && ticked === boxes.length; });
    if (offer) offer.hidden = ticked < boxes.length;
    if (offer?.hidden) everyone.checked = false;
    bar.hidden = ticked === 0;
    const inList = offer?.querySelector("[data-people]")?.dataset.people || "Everyone";
    const words = everyone?.checked ? inList : ticked === 1 ? "1 person" : `${ticked} people`;
    const count = bar.querySelector("[data-count]");
    if (count.textContent !== words) count.textContent = words; // or the observer below would wake itself for ever
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-bulk]");
    if (!form) return;
    if (event.target.matches("[data-all]")) all('[name="ids"]', form).forEach((box) => { box.checked = event.target.checked; });
    countTicks(form);
  });
  // Enter presses the button beside a field; the browser would press the first one of the form.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("[data-presses] input")) return;
    event.preventDefault();
    event.target.closest("[data-presses]").querySelector("button").click();
  });

  // Debriefs are saved as they are typed. What is not saved yet outlives a reload without a network: in this
  // tab and for this person, until it is saved or somebody signs out.
  const isTicked = ({ type }) => type === "checkbox" || type === "radio";
  let typedSince = false;
  document.addEventListener("input", ({ target }) => {
    const form = (target.form ?? target).closest("[data-typed]");
    if (!form) return;
    typedSince = true;
    const fields = [...form.elements].filter(({ id, type }) => id && type !== "hidden");
    const words = fields.map((field) => [field.id, isTicked(field) ? field.checked : field.value]);
    sessionStorage.setItem(form.dataset.typed, JSON.stringify(words));
  });
  document.addEventListener("htmx:beforeSend", ({ target }) => { if (target.closest("[data-typed]")) typedSince = false; });
  const takeUp = (form) => {
    const words = JSON.parse(sessionStorage.getItem(form.dataset.typed)) ?? [];
    for (const [id, word] of words) {
      const field = document.getElementById(id);
      if (field) field[isTicked(field) ? "checked" : "value"] = word;
    }
    if (words.length) form.dispatchEvent(new Event("input", { bubbles: true })); // so that it is saved now
  };
  addEventListener("DOMContentLoaded", () => all("[data-typed]").forEach(takeUp)); // once htmx listens
  if (!signedIn) sessionStorage.clear();

  // Signing up: the browser knows the time zone, so nobody has to look for it in a list.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  all("input[data-browser-zone]").forEach((input) => { if (zone && !input.value) input.value = zone; });

  // Preparations are kept on this device for a café without a network, and go when somebody signs out.
  const keep = async (worker) => {
    await navigator.serviceWorker.register(worker);
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage([location.href.split("#")[0], ...performance.getEntriesByType("resource").map(({ name }) => name.split("#")[0])]);
  };
  const kept = one("[data-keep]");
  if (kept && "serviceWorker" in navigator) addEventListener("load", () => keep(kept.dataset.keep).catch(() => {}));
  if (!signedIn && "caches" in window) caches.delete("coffees");

  const settle = () => {
    watchToasts();
    keepPlace();
    all("[data-bulk]").forEach(countTicks);
  };
  document.addEventListener("htmx:afterSettle", settle); // htmx gives the new row its own classes late
  new MutationObserver(settle).observe(one("body"), { childList: true, subtree: true });
  settle();
})();
