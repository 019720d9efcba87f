// A phone that is hers alone: the page works without a network, a finished sheet waits sealed, and she may look for her code.
const SENT = "ascolto-sent";
const CACHE = "ascolto-answer";
const EVENING = 20;
const FORMAT = new TextEncoder().encode("ascolto phone envelope 1");
const ENVELOPE = 8100;
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
let known = null;

function note(sentence) {
  document.getElementById("offline").textContent = sentence;
}

// The page and what it loads are kept, so that it opens without a network; only below /answer.
async function keepPage(page) {
  if (!("serviceWorker" in navigator) || !window.caches) return;
  const policy = window.trustedTypes?.createPolicy("ascolto", { createScriptURL: (url) => (url === "/answer-worker.js" ? url : "") });
  const address = "/answer-worker.js";
  await navigator.serviceWorker.register(policy ? policy.createScriptURL(address) : address, { scope: "/answer" });
  const { _wave: wave } = page.form.elements;
  const cache = await caches.open(CACHE);
  const scripts = ["link", "later", "hints", "pairs"].map((name) => page.form.dataset[name]).filter(Boolean);
  const module = document.querySelector("script[type=module]").src;
  await cache.addAll([`/answer?lang=${page.language}`, `/answer/words?wave=${wave.value}&lang=${page.language}`, known.blind, module, ...scripts]);
}

export async function start(page) {
  known ||= await page.words();
  if (!document.getElementById("tonight")) {
    const nav = page.form.querySelector("#send .nav");
    const button = Object.assign(document.createElement("button"), { id: "tonight", textContent: known.texts["later.tonight"] });
    const why = Object.assign(document.createElement("p"), { id: "tonight-note", className: "quiet", textContent: known.texts["later.tonight_note"] });
    const forget = Object.assign(document.createElement("button"), { id: "forget", type: "button", textContent: known.texts["page.forget"] });
    forget.addEventListener("click", async () => {
      await leave(page);
      page.blank();
      note(known.texts["page.forgotten"]);
    });
    nav.after(button, why, forget);
  }
  if (navigator.onLine) keepPage(page).catch(() => {}); // without it the page needs a network; nothing else changes
  await flush(page);
}

// Everything of hers goes from this phone.
export async function leave(page) {
  for (const key of [page.KEY, page.QUEUE, SENT]) localStorage.removeItem(key);
  sessionStorage.clear();
  await dropPage();
  for (const id of ["tonight", "tonight-note", "forget"]) document.getElementById(id)?.remove();
}

async function dropPage() {
  if (window.caches) await caches.delete(CACHE);
  const worker = await navigator.serviceWorker?.getRegistration("/answer");
  await worker?.unregister();
}

// Two answers that exclude each other cannot be mended once they are sealed.
function clash(page) {
  for (const [item, codes] of Object.entries(known.exclusive)) {
    const chosen = page.form.querySelectorAll(`[name="${CSS.escape(item)}"]:checked`);
    if (chosen.length > 1 && [...chosen].some((field) => codes.includes(field.value))) return chosen[0].closest("fieldset");
  }
  return null;
}

function sheet(page) {
  const answers = {};
  for (const [name, value] of new FormData(page.form)) {
    if (value && (!name.startsWith("_") || name === "_skip_experience")) (answers[name] ||= []).push(value);
  }
  return new TextEncoder().encode(JSON.stringify(answers));
}

async function packed(content) {
  if (!window.CompressionStream) return content;
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The sheet as it is sent: sealed to the holders under the plan; refused where the plan is not that of the slip or the link.
async function sealed(page) {
  const content = await packed(sheet(page));
  if (!known.plan && page.mark) throw new Error("plan_other"); // somebody took the plan away
  if (!known.plan) return seal(content, bytes(known.phone_key));
  const { planOf, proofOf, seal: sealTo } = await page.module("pairs");
  const plan = await planOf(known.plan, page.mark);
  return sealTo(content, await proofOf(page.code.value), plan);
}

const base64 = (array) => {
  let binary = "";
  for (let i = 0; i < array.length; i += 4096) binary += String.fromCharCode(...array.subarray(i, i + 4096));
  return btoa(binary);
};

// One sheet with its code, sealed; nothing where a question is answered against itself or the plan is another one.
async function entryOf(page) {
  known ||= await page.words();
  const wrong = clash(page);
  if (wrong) {
    note(known.texts.exclusive.replace("{item}", wrong.querySelector("legend").textContent));
    return null;
  }
  const letters = page.code.value.replace(/[^0-9A-Za-z]/g, "").length; // a sheet is sealed with its code: it cannot be put right later
  if (page.code.value.length < 100 && letters !== 16) {
    note(known.texts[letters ? "bad_code" : "no_code"]);
    const there = Object.assign(document.createElement("a"), { href: "#start", textContent: document.getElementById("code-label").textContent });
    document.getElementById("offline").append(" ", there);
    return null;
  }
  try {
    const { _attempt: attempt, _wave: wave } = page.form.elements;
    return { wave: wave.value, code: page.code.value, attempt: attempt.value, envelope: base64(await sealed(page)) };
  } catch (problem) {
    if (!["plan_other", "large"].includes(problem.message)) throw problem;
    note(known.texts[problem.message === "large" ? "later.large" : "page.other_key"]);
    return null;
  }
}

async function post(page, content) {
  return fetch(`/answer/sealed?lang=${page.language}`, {
    method: "POST", credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
    headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
  });
}

// A phone that others use: sealed and sent at once, and nothing is kept on it.
export async function send(page) {
  const entry = await entryOf(page);
  if (!entry) return;
  if (!navigator.onLine) return page.again();
  const said = await (await post(page, entry)).json();
  if (said.received) {
    sessionStorage.clear();
    page.form.reset();
    location.replace(`/thanks?lang=${page.language}&wave=${entry.wave}`);
  } else note(said.problem);
}

// Version 1: P-256, HKDF-SHA256, AES-256-GCM: surveys/answers/envelope.py.
async function seal(content, phoneKey) {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const theirs = await crypto.subtle.importKey("raw", phoneKey, curve, false, []);
  const once = await crypto.subtle.generateKey(curve, false, ["deriveBits"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", once.publicKey));
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, once.privateKey, 256);
  const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const derive = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: join(FORMAT, point, phoneKey) };
  const key = await crypto.subtle.deriveKey(derive, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const plain = new Uint8Array(ENVELOPE - point.length - 16);
  if (content.length > plain.length - 2) throw new Error("large");
  plain.set([content.length >> 8, content.length & 255]);
  plain.set(content, 2);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, key, plain);
  return join(point, new Uint8Array(sealed));
}

export async function wait(page, tonight) {
  const before = page.read(localStorage, page.QUEUE);
  if (before && before.attempt !== page.form.elements._attempt.value) return send(page); // another sheet waits here: neither takes its place
  const entry = await entryOf(page);
  if (!entry) return;
  const evening = new Date();
  evening.setHours(EVENING, Math.floor(Math.random() * 120), 0, 0);
  localStorage.setItem(page.QUEUE, JSON.stringify({ ...entry, after: tonight ? evening.getTime() : 0 }));
  localStorage.removeItem(page.KEY); // the answers in clear are gone; the envelope opens for two keepers alone
  for (const button of page.form.querySelectorAll("#send .nav, #tonight, #tonight-note")) button.remove(); // nothing is left to send
  await flush(page);
}

let clock = null;
async function flush(page) {
  const waiting = page.read(localStorage, page.QUEUE);
  if (!waiting) return;
  known ||= await page.words();
  const rest = waiting.after - Date.now();
  if (rest > 0 || !navigator.onLine) {
    note(known.texts[rest > 0 ? "later.waiting_tonight" : "later.waiting"]);
    clearTimeout(clock);
    if (rest > 0) clock = setTimeout(() => flush(page), Math.min(rest, 2 ** 30));
    addEventListener("online", () => flush(page), { once: true });
    return;
  }
  const { after, ...content } = waiting;
  try {
    const answer = await post(page, content);
    const said = await answer.json();
    if (said.received) {
      await remember(page, waiting);
      localStorage.removeItem(page.QUEUE);
      sessionStorage.clear();
      await dropPage();
      location.assign(`/thanks?lang=${page.language}&wave=${waiting.wave}`);
    } else if (answer.status >= 500 || (answer.status === 409 && !said.final)) { // not now: what is said of the server is no word about this sheet
      clock = setTimeout(() => flush(page), 60000);
      note(said.problem);
    } else {
      localStorage.removeItem(page.QUEUE);
      note(known.texts["later.refused"].replace("{reason}", said.problem));
    }
  } catch {
    note(known.texts["later.waiting"]);
    clock = setTimeout(() => flush(page), 30000);
  }
}

// What is published of a code when the survey closes, so that this phone can look for it. Only on a phone of one's own.
export async function remember(page, entry = { wave: page.form.elements._wave.value, code: page.code.value }) {
  const token = entry.code.length > 100 ? Uint8Array.from(atob(entry.code.replace(/-/g, "+").replace(/_/g, "/")), (l) => l.charCodeAt(0)).slice(0, 64) : null;
  const slip = entry.code.toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  const proof = await crypto.subtle.digest("SHA-256", token || new TextEncoder().encode(slip));
  const digest = hex(page.form.dataset.pairs ? await crypto.subtle.digest("SHA-256", proof) : proof);
  localStorage.setItem(SENT, JSON.stringify({ ...page.read(localStorage, SENT), [entry.wave]: digest }));
}
