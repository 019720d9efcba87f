// Writing a concern report: seals on this device, sends ciphertext only. If anything fails, nothing leaves and the text stays.
"use strict";
const Concern = (() => {
  const P = Protocol;
  const byId = (id) => document.getElementById(id);
  const channel = JSON.parse(byId("channel").dataset.content);
  const t = (key, values = {}) => channel.texts[key].replace(/\{(\w+)\}/g, (_, name) => (name in values ? values[name] : ""));
  const PIECE = 256 * 1024;
  const FILL = 64 * 1024;
  const LARGEST = 25 * 1024 * 1024;

  function make(tag, options = {}, ...children) {
    const element = Object.assign(document.createElement(tag), options);
    element.append(...children);
    return element;
  }
  function day(iso) {
    if (!iso) return "";
    const [year, month, date] = iso.split("-").map(Number);
    return channel.months[month - 1].replace("{d}", date).replace("{y}", year);
  }
  function warn(sentence) {
    const box = byId("wrong");
    box.hidden = !sentence;
    box.querySelector("p").textContent = sentence || "";
    if (sentence) box.scrollIntoView({ block: "nearest" });
  }

  // --- the network: ciphertext and proofs, nothing kept ---
  async function call(address, options = {}) {
    const stop = new AbortController();
    const clock = setTimeout(() => stop.abort(), 90000);
    try {
      return await fetch(address, { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", signal: stop.signal, ...options });
    } finally {
      clearTimeout(clock);
    }
  }
  const post = (address, content) => call(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: filled(address, JSON.stringify(content)) });
  // What is sealed leaves in steps of 64 KiB: its size would say how many people she keeps out, and how long her words are. It is ASCII.
  const filled = (address, body) => (/sealed$|reply$/.test(address) ? body.padEnd(Math.ceil(body.length / FILL) * FILL) : body);
  // The house is believed by the fragment of the poster's code; without one it is the one whose words this page shows.
  // Whoever went on before this script had come is still held to it: browsers that remember the address of arrival say it.
  const houseIn = (address) => (address.match(/#h=([0-9a-f]{32})$/) || [])[1] || "";
  const arrival = performance.getEntriesByType ? performance.getEntriesByType("navigation")[0] : null;
  let scanned = houseIn(location.hash) || houseIn(arrival ? arrival.name : "");
  let known = null;
  let heard = 0;
  async function lists() {
    if (known && Date.now() - heard < 3600000) return known; // a page that stays open for days writes by today's list and day
    heard = Date.now();
    const given = await (await call("/concern/keyring.json")).json();
    if (given.lists) throw new P.CannotOpen(given.lists);
    channel.day = given.day || channel.day;
    const old = P.readKeyrings(given.keyrings);
    if (!given.house || !given.rings.length) {
      if (scanned) throw new P.CannotOpen("house_other");
      return (known = { house: null, chain: null, old });
    }
    const house = Signed.readHouse(given.house, scanned || channel.printed);
    if (house.printed !== channel.printed) throw new P.CannotOpen("house_other");
    known = { house, chain: Signed.vouched(Signed.readChain(given.rings, given.still, house), old), old };
    return known;
  }
  const newest = () => { known = null; return lists(); };
  const WRONG = new Map(Object.entries({
    house_other: "house", ring_old: "list", ring_broken: "list", epoch_broken: "key", wrap_not_mine: "key", key_other: "key", gain_refused: "readers",
    expel_refused: "readers", out_returns: "readers", reader_foreign: "readers", redaction_alone: "words", shorter: "shorter", fork: "shorter", gone: "shorter",
  }));
  const wrong = (word) => t(`wrong.${WRONG.get(word) || "changed"}`);
  let list = null;
  async function words() {
    if (!list) list = (await (await call(channel.words)).text()).trim().split("\n");
    return list;
  }

  // --- attachments ---
  async function redrawn(file) {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, 2560 / Math.max(picture.width, picture.height));
    const canvas = make("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
    return new Uint8Array(await blob.arrayBuffer());
  }
  // Chosen files as they will be sent: pictures drawn anew, others only where the organisation takes them.
  class Chosen {
    constructor(input, shown) {
      this.files = [];
      this.shown = shown;
      input.addEventListener("change", async () => {
        for (const file of input.files) await this.take(file);
        input.value = "";
      });
    }
    async take(file) {
      warn("");
      if (this.files.length >= 5) return warn(t("write.files_many"));
      if (file.size > LARGEST) return warn(t("write.files_large"));
      try {
        const bytes = await redrawn(file);
        this.add({ name: `foto-${this.files.length + 1}.jpg`, type: "image/jpeg", bytes });
      } catch (problem) {
        if (!channel.files) return warn(t("write.files_refused"));
        const kept = { name: file.name, type: "application/octet-stream", bytes: new Uint8Array(await file.arrayBuffer()) };
        const row = make("li", {}, make("p", { textContent: `${file.name}: ${t("write.files_warning")}` }));
        row.append(make("button", { type: "button", textContent: t("write.files_keep"), onclick: () => { row.remove(); this.add(kept); } }));
        this.shown.append(row);
      }
    }
    add(file) {
      this.files.push(file);
      const row = make("li", {}, `${file.name} · ${Math.ceil(file.bytes.length / 1024)} kB `);
      row.append(make("button", { type: "button", textContent: t("write.files_remove", { name: file.name }), onclick: () => { row.remove(); this.files.splice(this.files.indexOf(file), 1); } }));
      this.shown.append(row);
    }
    // Seal and send each; one that broke off goes on where it was.
    async upload(say) {
      const entries = [];
      for (const file of this.files) {
        if (!file.made) file.made = await P.sealFile(file.name, file.type, file.bytes);
        await uploadSealed(file.made, say);
        entries.push(file.made.entry);
      }
      if (!(await this.areThere())) return this.upload(say); // one made way for others while the next was sent
      return entries;
    }
    async areThere() {
      for (const { made } of this.files) {
        const { kept } = await (await call(`/concern/piece/${made.entry.upload}`)).json();
        if (kept.length < Math.ceil(made.sealed.length / PIECE)) return false;
      }
      return true;
    }
  }
  class Full extends Error {}
  async function uploadSealed({ sealed, entry }, say) {
    const total = Math.ceil(sealed.length / PIECE);
    for (let tries = 0; ; tries += 1) {
      try {
        const there = new Set((await (await call(`/concern/piece/${entry.upload}`)).json()).kept);
        for (let n = 0; n < total; n += 1) {
          if (there.has(n)) continue;
          const answer = await call(`/concern/piece/${entry.upload}/${n}`, { method: "PUT", body: sealed.subarray(n * PIECE, (n + 1) * PIECE) });
          if (answer.status === 507) throw new Full();
          if (!answer.ok) throw new Error("piece");
          say(t("write.files_waiting", { done: n + 1, total }));
        }
        if ((await (await call(`/concern/piece/${entry.upload}`)).json()).kept.length < total) throw new Error("piece"); // it made way for others
        return;
      } catch (problem) {
        if (tries >= 4 || problem instanceof Full) throw problem;
        await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** tries));
      }
    }
  }

  // --- "this could be you": on this device only ---
  function showFindings() {
    const text = `${byId("text").value}\n${["where", "when", "who"].map((name) => byId(`d-${name}`).value).join("\n")}`;
    const found = Signs.find(text, channel.places, channel.months);
    const rows = make("ul");
    for (const [word, kind] of found) rows.append(make("li", { textContent: t(`check.${kind}`, { word: `«${word}»` }) }));
    byId("findings").replaceChildren(make("p", { textContent: t(found.length ? "check.found" : "check.none") }), ...(found.length ? [rows] : []));
    if (!Signs.seesNames(text)) byId("findings").append(make("p", { textContent: t("check.names") }));
  }

  // --- the code, shown once ---
  let secret = null;
  let asked = [];
  async function showCode() {
    if (secret) return;
    secret = P.newCode();
    const italian = channel.language === "it";
    const parts = italian ? P.toWords(secret, await words()) : P.toDigits(secret);
    const places = italian ? [2, 7] : [2, 6];
    const fields = places.map((n) => {
      const input = make("input", { type: "text", id: `part${n}`, autocomplete: "off", autocapitalize: "off", dir: "ltr" });
      return [make("label", { htmlFor: `part${n}`, textContent: t(italian ? "code.part_word" : "code.part_block", { n }) }), input];
    });
    asked = places.map((n, place) => [fields[place][1], parts[n - 1]]);
    const shown = make("p", { className: "secret", dir: "ltr" });
    for (const part of parts) shown.append(make("span", { textContent: part }), " ");
    const send = make("button", { type: "button", className: "go wide", id: "send", textContent: t("code.send"), onclick: () => begin(false) });
    const diary = make("button", { type: "button", className: "wide", id: "diary", textContent: t("code.diary"), onclick: () => begin(true) });
    byId("made").replaceChildren(
      shown, make("p", { className: "quiet", textContent: t("code.disguise") }), make("p", { textContent: t("code.confirm") }), ...fields.flat(),
      make("p", {}, send, diary), make("p", { className: "quiet", textContent: t("code.diary_note") }),
    );
  }
  const isConfirmed = () => asked.every(([input, part]) => P.decimals(input.value).trim().toLowerCase() === part);

  // --- sending ---
  const files = new Chosen(byId("files"), byId("chosen"));
  const say = (sentence) => { byId("progress").textContent = sentence; };
  let busy = false;
  let sealedReport = null;
  async function begin(diary) {
    if (busy) return;
    warn("");
    if (!byId("text").value.trim() && !files.files.length) { location.replace("#write"); return warn(t("write.empty")); }
    if (!isConfirmed()) return warn(t("code.wrong"));
    busy = true;
    try {
      await send(diary);
    } catch (problem) {
      say("");
      if (problem instanceof Full) warn(t("write.files_full"));
      else warn(problem instanceof P.CannotOpen ? `${t("code.keys_changed")} ${wrong(problem.message)}` : t(problem instanceof Failed ? "code.failed" : "code.failed_seal"));
    } finally {
      busy = false;
    }
  }
  class Failed extends Error {}
  async function reach(promise) {
    try {
      return await promise;
    } catch (problem) {
      throw problem instanceof P.CannotOpen || problem instanceof Full ? problem : new Failed();
    }
  }
  function content() {
    const fields = byId("report").elements;
    const written = { text: byId("text").value.trim() };
    for (const name of ["what", "where", "when", "who", "danger"]) if (fields[name].value) written[name] = fields[name].value.trim();
    const wishes = [...fields.wish].filter((box) => box.checked).map((box) => box.value);
    return wishes.length ? { ...written, wish: wishes } : written;
  }
  // Whoever gets a key was asked about: another list is shown and answered first, whoever put it there.
  const askedFor = (box, ring) => {
    const there = new Set([...box.querySelectorAll("[name*='reads.']")].map((field) => field.name.replace(/^(diary\.)?reads\./, "")));
    const wanted = [...ring.readers.map((one) => one.id), ...(ring.recovery.length ? ["recovery"] : [])];
    return there.size === wanted.length && wanted.every((id) => there.has(id));
  };
  function askAbout(ring) {
    const asks = ring.readers.map((one) => [one.id, one.name, [one.role[channel.language] || one.role.it || Object.values(one.role)[0], ...(one.outside ? [t("who.outside")] : [])].join(" · ")]);
    if (ring.recovery.length) asks.push(["recovery", t("who.recovery"), t("who.recovery_note", { holders: ring.recovery.map((one) => one.name).join(", ") })]);
    const out = keptOut(byId("report")); // whom she kept out stays out
    const answer = (id, value) => make("label", { className: "o" }, make("input", { type: "radio", name: `reads.${id}`, value, checked: (value === "no") === out.has(id) }), t(`who.reads_${value}`));
    byId("who").querySelector(".readers").replaceChildren(...asks.map(([id, name, more]) => make("fieldset", { className: "reads" },
      make("legend", { textContent: name }), make("p", { className: "quiet", textContent: more }), answer(id, "yes"), answer(id, "no"))));
  }
  // Whether another list is in use than the one this page knows; then it asks about that one.
  async function relisted(chain) {
    const now = (await reach(newest())).chain;
    if (!now || now.newest.hash === chain.newest.hash) return false;
    askAbout(now.newest);
    return true;
  }
  const keptOut = (form) => new Set([...form.querySelectorAll("[name^='reads.'][value=no]:checked")].map((box) => box.name.slice(6)));
  // Who I am by my code: what derives everything, and the number of the case that follows from it.
  function meOf(keys) {
    return {
      name: "reporter", identity: keys.identity, first: { thread: keys.thread, diary: keys.diary }, signer: keys.signer, reader: keys.recipient,
      case: Fold.caseOf(keys.signer, keys.recipient), author: { name: "reporter", seed: keys.ed25519 },
    };
  }
  async function codeInside(texts, code) {
    return P.holdsCode(texts.join("\n"), code, list || (channel.language === "it" ? await words() : null));
  }
  async function send(diary) {
    const { house, chain } = await reach(lists());
    if (!chain) { say(""); return warn(t("page.paused")); }
    if (!diary && !askedFor(byId("report"), chain.newest)) { askAbout(chain.newest); say(""); location.replace("#who"); return warn(t("who.changed")); }
    const out = keptOut(byId("report"));
    if (!diary && chain.newest.readers.every((one) => out.has(one.id))) { say(""); return warn(t("who.few_stop")); }
    const written = content();
    if (await codeInside(Object.values(written).filter((value) => typeof value === "string"), secret)) { say(""); return warn(t("write.code_inside")); }
    if (!Fold.fits(written)) { say(""); return warn(t("write.long")); }
    say(t("code.sealing"));
    const keys = await P.derive(secret, house.salt);
    const entries = await reach(files.upload(say));
    if (entries.length) written.files = entries;
    const wanted = JSON.stringify([chain.newest.hash, diary, written, [...out]]);
    if (!sealedReport || sealedReport.wanted !== wanted) sealedReport = { wanted, body: await sealReport(keys, house, chain.newest, out, written, diary) };
    say(t("code.sending"));
    let answer = await deliver(sealedReport.body);
    if (answer.status === 400 && entries.length && !(await reach(files.areThere()))) {
      await reach(files.upload(say));
      answer = await deliver(sealedReport.body);
    }
    if (answer.ok) return sent(diary);
    if (answer.status === 400) {
      if (await relisted(chain)) { say(""); location.replace("#who"); return warn(t("who.changed")); }
      await Letters.open(secret); // this code has something already: what arrived then is shown, and what she added since waits in the box
      if (byId("answer") && !byId("letters").textContent.includes(written.text)) { byId("answer").value = written.text; warn(t("thread.stale")); }
      return undefined;
    }
    throw new Failed();
  }
  async function sealReport(keys, house, ring, out, written, diary) {
    const me = meOf(keys);
    const made = diary
      ? { ...(await Fold.diaryLetter(me, house.hash, channel.day, written, [])), epoch: { stream: "diary", number: 1, wraps: {}, link: "" } }
      : await Fold.firstLetter(me, ring, house.hash, out, channel.day, written);
    return {
      case: me.case, locator: keys.locator, auth: keys.auth, epochs: [made.epoch], letters: [made.sealed],
      uploads: (written.files || []).map((entry) => entry.upload), work: "",
    };
  }
  async function deliver(body) {
    for (;;) {
      const answer = await reach(post("/concern/sealed", body));
      if (answer.status !== 429) return answer;
      say(t("code.working"));
      body.work = await P.work(body.case, (await answer.json()).bits);
    }
  }
  function sent(diary) {
    forget();
    byId("report").reset();
    files.files.length = 0;
    byId("chosen").replaceChildren();
    say("");
    const kept = secret;
    [secret, sealedReport] = [null, null];
    byId("made").replaceChildren();
    const by = new Date(`${channel.day}T00:00Z`);
    by.setUTCDate(by.getUTCDate() + 7);
    const lines = diary ? [t("sent.diary")] : [t("sent.text"), t("sent.next", { day: day(by.toISOString().slice(0, 10)) })];
    const open = make("button", { type: "button", className: "wide", textContent: t("sent.open"), onclick: () => Letters.open(kept) });
    show(make("h1", { textContent: t("sent.title"), tabIndex: -1 }), ...[...lines, t("sent.by_hand")].map((line) => make("p", { textContent: line })), open);
  }
  // One address: what was shown before is replaced, never added to the history.
  function show(...parts) {
    warn("");
    history.replaceState(null, "", location.pathname + location.search);
    for (const form of document.querySelectorAll("form.steps")) form.hidden = true;
    const box = byId("letters");
    box.replaceChildren(...parts);
    box.hidden = false;
    scrollTo(0, 0);
    const heading = box.querySelector("h1");
    if (heading) heading.focus({ preventScroll: true });
  }

  // --- a draft: kept over a reload only where she allows it, in this tab; else the page asks before it goes ---
  const DRAFT = "ascolto.draft";
  const store = (() => { try { return window.sessionStorage; } catch (problem) { return null; } })();
  const forget = () => { if (store) store.removeItem(DRAFT); };
  const isWritten = () => Boolean(byId("text").value.trim() || (byId("answer") && byId("answer").value.trim()));
  function keepDraft() {
    if (!store) return;
    if (!byId("keep").checked) return forget();
    const fields = {};
    for (const field of byId("report").elements) if (field.name && /^(text|what|where|when|who)$/.test(field.name)) fields[field.name] = field.value;
    store.setItem(DRAFT, JSON.stringify({ fields, ticked: choices().filter((one) => one.checked).map((one) => one.name + one.value) }));
  }
  // Whom she keeps out is kept with her words: a page that is brought back asks nobody in.
  const choices = () => [...byId("report").querySelectorAll("[name^='reads.'],[name=wish],[name=danger]")];
  function bringDraft() {
    const kept = store && store.getItem(DRAFT);
    if (!kept) return;
    const was = JSON.parse(kept);
    const [fields, ticked] = was.ticked ? [was.fields, was.ticked] : [was, null];
    if (ticked) for (const one of choices()) one.checked = ticked.includes(one.name + one.value);
    else { location.replace("#who"); warn(t("who.changed")); } // of a page of before: her words are here, whom she kept out it does not know
    for (const name of Object.keys(fields)) if (byId("report").elements[name]) byId("report").elements[name].value = fields[name];
    byId("keep").checked = true;
  }

  // --- the page ---
  let leaving = false;
  function leave() {
    leaving = true;
    forget();
    for (const field of document.querySelectorAll("textarea,input[type=text]")) field.value = "";
    location.replace(byId("exit").href);
  }
  function start() {
    byId("noplain").hidden = true;
    byId("allow-draft").hidden = !store;
    bringDraft();
    byId("report").addEventListener("input", keepDraft);
    window.addEventListener("beforeunload", (event) => { if (!leaving && isWritten() && !byId("keep").checked) { event.preventDefault(); event.returnValue = ""; } });
    // A page that is left keeps nothing that a browser could show again.
    window.addEventListener("pagehide", () => {
      for (const field of document.querySelectorAll("textarea,select,input[type=text]")) field.value = "";
      for (const field of document.querySelectorAll("input:checked")) field.checked = false;
      for (const id of ["letters", "findings", "made", "chosen"]) byId(id).replaceChildren();
    });
    window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    window.addEventListener("hashchange", () => { const found = houseIn(location.hash); if (found) { scanned = found; known = null; location.replace("#start"); } });
    if (houseIn(location.hash)) location.replace("#start");
    byId("attach").hidden = false;
    byId("to-check").href = "#check";
    for (const form of document.querySelectorAll("form.steps")) form.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link) return;
      if (link.id === "exit") { event.preventDefault(); leave(); }
      else if (link.hash && link.pathname === location.pathname) { event.preventDefault(); go(link.hash); }
      else if (link.closest(".langs") && byId("text").value && !confirm(t("write.lose"))) event.preventDefault();
    });
    let escaped = 0;
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (Date.now() - escaped < 1000) leave();
      escaped = Date.now();
    });
    if ("speechSynthesis" in window) {
      const look = () => {
        const voice = speechSynthesis.getVoices().find((one) => one.localService && one.lang.startsWith(channel.language.slice(0, 2)));
        if (voice && byId("tools").hidden) offerVoice(voice);
      };
      look();
      speechSynthesis.addEventListener("voiceschanged", look);
    }
    if (["#code", "#check"].includes(location.hash)) location.replace(isWritten() ? "#write" : "#start");
  }
  // "These people will read it": from the same answers that decide who gets a key.
  async function showReaders() {
    const box = byId("will").querySelector("ul");
    try {
      const { chain } = await reach(lists());
      if (!chain) return warn(t("page.paused"));
      const out = keptOut(byId("report"));
      const lines = chain.newest.readers.filter((one) => !out.has(one.id)).map((one) => one.name);
      if (chain.newest.recovery.length && !out.has("recovery")) lines.push(`${t("who.recovery")}: ${chain.newest.recovery.map((one) => one.name).join(", ")}`);
      box.classList.remove("will"); // its lines are chosen here, not by the style sheet
      box.replaceChildren(...lines.map((line) => make("li", { textContent: line })));
      if (chain.newest.until < channel.day) warn(t("who.overdue"));
    } catch (problem) {
      warn(problem instanceof P.CannotOpen ? `${t("code.keys_changed")} ${wrong(problem.message)}` : t("code.failed"));
    }
  }
  function go(hash) {
    warn("");
    if (hash === "#check" && !byId("text").value.trim() && !files.files.length) return warn(t("write.empty"));
    if (hash === "#check") showFindings();
    location.replace(hash);
    if (hash === "#code") showReaders();
    if (hash === "#code") showCode().catch(() => { secret = null; warn(t("code.failed")); });
    const heading = document.querySelector(`${hash} h1, ${hash} h2`);
    if (heading) { heading.tabIndex = -1; heading.focus({ preventScroll: true }); }
    scrollTo(0, 0);
  }
  function offerVoice(voice) {
    const button = make("button", { type: "button", textContent: t("write.read_aloud") });
    button.addEventListener("click", () => {
      speechSynthesis.cancel();
      const said = new SpeechSynthesisUtterance(`${byId("write").querySelector("label").textContent} ${byId("hint").textContent}`);
      said.voice = voice;
      speechSynthesis.speak(said);
    });
    byId("tools").append(button);
    byId("tools").hidden = false;
  }

  return { P, channel, t, byId, make, day, warn, wrong, call, post, newest, words, Chosen, keptOut, askedFor, askAbout, relisted, Full, meOf, codeInside, show, start, reach, Failed };
})();
