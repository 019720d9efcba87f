// A personal link: after a tap, one blind token for it. The link is in no address and is not kept.
const box = document.getElementById("link");
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const text = (array) => btoa(String.fromCharCode(...array));

function make(name, content, properties = {}) {
  return Object.assign(document.createElement(name), { textContent: content, ...properties });
}

async function post(address, language, content) {
  const answer = await fetch(`${address}?lang=${language}`, {
    method: "POST", credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
    headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
  });
  return answer.json();
}

// The same blinded value is asked for again after a lost answer: the server then gives the same signature.
async function take(page, known, link, blinded) {
  const { blind, finalize } = await import(known.blind);
  const key = bytes(known.token_key);
  const value = blinded.value || (blinded.value = await blind(key));
  const answer = await post("/answer/token", page.language, { link, z: text(value.z) });
  if (!answer.signed) throw new Error(answer.problem);
  return finalize(key, value.prepared, bytes(answer.signed), value.inverse);
}

// The plan of the link names the token key; a link of version 1 names the key itself, and the page of the house too.
async function isPublished(page, known, mark) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(known.token_key)));
  const own = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (known.plan) {
    const { planOf } = await page.module("pairs");
    return mark.length === 32 && planOf(known.plan, mark).then((plan) => plan.token === own, () => false);
  }
  const there = await (await fetch("/.well-known/ascolto", { credentials: "omit", cache: "no-store" })).json();
  return own.startsWith(mark) && there.token_keys[known.wave] === own;
}

export async function start(page, link, mark) {
  const language = page.language;
  const status = make("p", "", { role: "status" });
  box.hidden = false;
  for (const id of ["code", "hint", "code-label"]) document.getElementById(id).hidden = true;
  let known;
  try {
    known = await page.words();
  } catch {
    box.append(make("p", page.form.dataset.offline, { role: "alert" }));
    addEventListener("online", () => (box.replaceChildren(), start(page, link, mark)), { once: true });
    return;
  }
  const t = (key) => known.texts[`page.${key}`];
  const say = (sentence, role = "status") => {
    status.setAttribute("role", role);
    status.textContent = sentence;
  };
  box.append(make("h2", t("heading")), make("p", t("text")), status);
  if (page.code.value.length > 100) return say(t("ready")); // opened again on the same phone
  if (!crypto.subtle || typeof BigInt === "undefined") return say(t("no_crypto"), "alert");
  const state = await post("/answer/link", language, { link });
  if (state.problem || state.taken) return say(state.problem || state.taken, "alert");
  if (!(await isPublished(page, known, mark))) return say(t("other_key"), "alert");
  box.insertBefore(make("p", t("compared").replace("{fingerprint}", mark), { className: "quiet" }), status);
  if (state.before) box.insertBefore(make("p", state.before, { className: "card" }), status);
  const button = make("button", t("take"), { type: "button", className: "go" });
  const blinded = {};
  box.append(button);
  button.addEventListener("click", async () => {
    button.disabled = true;
    say(t("taking"));
    try {
      page.hold(await take(page, known, link, blinded));
      button.remove();
      say(`${t("ready")} ${t(page.own() ? "kept_phone" : "kept_tab")}`);
    } catch (problem) {
      button.disabled = false;
      say(navigator.onLine ? problem.message || t("broken") : t("offline"), "alert");
    }
  });
}
