// Only adds: the form works without it. Nothing is kept on the phone unless she says it is hers.
const form = document.getElementById("sheet");
const code = document.getElementById("code");
const KEY = "ascolto-draft";
const QUEUE = "ascolto-waiting";
const TOKEN = "ascolto-token";
const MARK = "ascolto-plan";
const language = document.documentElement.lang; // the buttons of the language menu have the field's name, too
const DAY = 24 * 60 * 60 * 1000;
// A browser remembers that a module did not come: where the network failed once, the same file is asked for by another address.
const module = (name) => import(form.dataset[name]).catch(() => import(`${form.dataset[name]}?again=${Date.now()}`));
// No network, or a server that is away: the page waits with what was written, and sends by itself.
let waiting = false;
function again() {
  document.getElementById("offline").textContent = form.dataset.offline;
  if (waiting) return;
  waiting = true;
  const send = () => { waiting = false; form.requestSubmit(); };
  if (navigator.onLine) setTimeout(send, 5000);
  else addEventListener("online", send, { once: true });
}

const own = () => form.elements._phone.value === "own";
const read = (store, key) => {
  try {
    return JSON.parse(store.getItem(key));
  } catch {
    return null;
  }
};
async function words() {
  const address = `/answer/words?wave=${encodeURIComponent(form.elements._wave.value)}&lang=${language}`;
  const answer = await fetch(address, { credentials: "omit", referrerPolicy: "no-referrer" });
  return answer.json();
}

// A token is long and nothing to look at: its field shows only codes of slips.
function hold(token) {
  code.removeAttribute("maxlength");
  code.value = token;
  for (const id of ["code", "hint", "code-label"]) document.getElementById(id).hidden = true;
  keep();
}

function keep() {
  const token = code.value.length > 100 ? code.value : "";
  if (token) sessionStorage.setItem(TOKEN, JSON.stringify({ wave: form.elements._wave.value, token, of: page.of }));
  if (!own()) {
    localStorage.removeItem(KEY);
    return;
  }
  const answers = [...new FormData(form)].filter(([name]) => !["_lang", "_attempt"].includes(name));
  const attempt = form.elements._attempt.value;
  localStorage.setItem(KEY, JSON.stringify({ until: Date.now() + DAY, attempt, answers }));
}

function bringBack() {
  const draft = read(localStorage, KEY);
  if (!draft || draft.until < Date.now()) {
    localStorage.removeItem(KEY);
    return;
  }
  if (form.querySelector("input[type=radio]:checked:not([value=''])")) return;
  for (const [name, value] of draft.answers) {
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === "radio" || field.type === "checkbox") field.checked ||= field.value === value;
      else if (field.type !== "hidden") field.value = value;
    }
  }
  form.elements._attempt.value = draft.attempt; // the same form: sending it twice counts once
}

// Nothing of a sheet stays in a page that is left: Back, a kept page or a new sending of an old one show an empty form.
function blank() {
  for (const field of form.elements) {
    if (field.type === "radio" || field.type === "checkbox") field.checked = field.name === "_phone" && !field.value;
    else if (field.type !== "hidden" && field.localName !== "button") field.value = "";
  }
  for (const line of form.querySelectorAll("[id^=meter-],[id^=hint-]")) line.remove(); // they quote her
}
const empty = `/answer?lang=${language}&wave=${encodeURIComponent(form.elements._wave.value)}`;
addEventListener("pagehide", blank);
addEventListener("pageshow", (event) => event.persisted && location.replace(empty));
if (location.pathname !== "/answer" || document.getElementById("problems")) history.replaceState(null, "", empty + location.hash);

// What came behind # (from a QR or a message) leaves the address bar at once: a slip's code, or a personal link.
const fragment = decodeURIComponent(location.hash.slice(1));
const link = /^l=([\w-]{22})\.([0-9a-f]{16}|[0-9a-f]{32})$/.exec(fragment);
const slip = !document.getElementById(fragment) && /^([0-9A-Za-z -]{16,24})(?:\.([0-9a-f]{32}))?$/.exec(fragment);
// Half of the plan's hash, as the slip or the link has it: a page with another plan gets no answer, also after a reload.
const mark = (link && link[2].length === 32 && link[2]) || (slip && slip[2]);
if (mark) sessionStorage.setItem(MARK, JSON.stringify({ wave: form.elements._wave.value, mark }));
const kept = read(sessionStorage, MARK);
const start = (to) => import(`${import.meta.url.split("?")[0]}?lang=${to}&again=${Date.now()}`); // this file once more, on the page in that language: an address runs once
const page = { start, form, language, code, own, read, words, hold, keep, blank, module, again, KEY, QUEUE, TOKEN, mark: kept?.wave === form.elements._wave.value ? kept.mark : "" };
if (link || slip) history.replaceState(null, "", location.pathname + location.search);

document.getElementById("phone").hidden = false;
bringBack();
if (slip) code.value = slip[1];
const held = read(sessionStorage, TOKEN);
page.of = link ? link[1].slice(0, 6) : held?.of; // a part of the link that gave it: another person's link takes no code of hers
if (link && held?.of && held.of !== page.of) sessionStorage.removeItem(TOKEN);
else if (held?.wave === form.elements._wave.value && !code.value) code.value = held.token;
if (code.value.length > 100) hold(code.value);
if (link) module("link").then(({ start }) => start(page, link[1], link[2]));

const later = () => module("later");
if (own() || localStorage.getItem(QUEUE)) later().then(({ start }) => start(page));

let known = null;
async function hints(field) {
  const { meter, hint } = await module("hints");
  known ||= await words();
  (field.localName === "textarea" ? hint : meter)(page, known, field);
}

form.addEventListener("change", (event) => {
  keep();
  if (event.target.closest("section[data-own]")) hints(event.target).catch(() => {}); // a help, never needed
  if (event.target.name === "_phone") later().then(({ start, leave }) => (own() ? start(page) : leave(page)));
});

form.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("formaction")) { // another language: what she wrote does not leave the phone for it
    event.preventDefault();
    const [menu, to, place] = [event.submitter.closest("details"), event.submitter.value, event.submitter.getAttribute("formaction").split("#")[1]];
    module("speak").then(({ speak }) => speak(page, to, place)).catch(() => {
      menu.querySelector("[role=alert]")?.remove(); // no network: said where she pressed
      menu.append(Object.assign(document.createElement("p"), { role: "alert", textContent: form.dataset.offline }));
    });
    return;
  }
  if ((form.dataset.pairs || page.mark) && window.crypto?.subtle) { // always sealed here; a slip or link with a mark has a plan
    event.preventDefault();
    later().then(({ send, wait }) => (own() ? wait(page, event.submitter?.id === "tonight") : send(page))).catch(again);
    return;
  }
  if (own() && (!navigator.onLine || event.submitter?.id === "tonight")) {
    event.preventDefault();
    later().then(({ wait }) => wait(page, event.submitter?.id === "tonight"));
    return;
  }
  if (own()) later().then(({ remember }) => remember(page));
  if (navigator.onLine) return;
  event.preventDefault();
  again();
});
