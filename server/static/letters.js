// Coming back with the code: open the thread on this device, check it against what the code derives, answer, send parts of a diary.
"use strict";
const Letters = (() => {
  const { P, channel, t, byId, make, day, warn, wrong, post, newest, words, Chosen, askedFor, askAbout, relisted, Full, meOf, codeInside, show, reach, Failed } = Concern;
  let keptOut = new Set(); // of parts of a diary: stays where the page is drawn again
  let latest = null; // the files that are chosen for an answer
  const status = (sentence) => { byId("opening").textContent = sentence; };

  async function typed() {
    warn("");
    status(t("back.opening"));
    keptOut = new Set();
    try {
      const text = byId("typed").value;
      const secret = P.readCode(text, /\p{L}/u.test(text) ? await words() : []);
      await open(secret);
      byId("typed").value = "";
    } catch (problem) {
      warn(problem instanceof P.NotACode ? t("back.bad") : problem instanceof P.CannotOpen ? wrong(problem.message) : t("code.failed"));
    } finally {
      status("");
    }
  }

  async function open(secret) {
    const { house, chain, old } = await reach(newest());
    const keys = await P.derive(secret, house ? house.salt : channel.salt);
    const me = meOf(keys);
    const answer = await reach(post("/concern/thread", { locator: keys.locator, auth: keys.auth }));
    if (answer.status === 404) return warn(t("back.unknown"));
    if (answer.status === 409) {
      const { lists } = await answer.json();
      return warn(lists ? wrong(lists) : t("back.damaged")); // it is nothing that the network did
    }
    if (!answer.ok) throw new Failed();
    const file = await answer.json();
    try {
      const current = { secret, keys, me, file, house, chain, old };
      await draw(file.version === 1 ? await openFirst(current) : await openSecond(current));
    } catch (problem) {
      if (problem instanceof P.CannotOpen) return warn(`${t("back.damaged")} ${wrong(problem.message)}`);
      throw problem;
    }
  }
  // A case of version 1: the number and the signer come from the code; state and readers are what our computer says.
  async function openFirst(current) {
    const { keys, file, old, me } = current;
    const opened = await P.readCase(file, keys.identity, P.signersOf(old), keys.oldCase, me.signer);
    const letters = [];
    for (const stream of ["diary", "thread"]) for (const one of opened.streams[stream] || []) letters.push({ stream, number: one.number, from: one.from, kind: one.kind, day: one.day, content: Fold.firstContent(one.body) });
    const readers = file.readers.filter((id) => file.names[id]).map((id) => file.names[id]);
    const notes = [t("thread.old_form"), ...(file.state === "diary" ? [] : [t("thread.readers_said", { names: readers.join(", ") })])];
    return { ...current, opened, letters, notes, problem: "", state: { ...file, dates: file.dates }, first: true };
  }
  async function openSecond(current) {
    const { file, me, house, chain } = current;
    if (!house) throw new P.CannotOpen("house_other");
    const opened = await Fold.openCase(file, me, house.hash, chain);
    const { fold } = opened;
    const letters = [];
    for (const one of opened.diary) letters.push({ ...one.head, content: one.content });
    for (const one of opened.thread) letters.push({ ...one.head, content: textOf(opened, one), hash: one.hash, taken: fold.redacted.has(one.head.number), undone: fold.void.has(one.head.number) });
    if (!fold) return { ...current, opened, letters, notes: [], problem: opened.problem, state: { state: opened.problem ? "lost" : "diary", dates: {} }, first: false };
    const state = { state: fold.state, contested: fold.contested, received: fold.received, acknowledged: fold.acknowledged, outcome: fold.outcome };
    return { ...current, opened, letters, notes: await notesOf(current, opened), problem: opened.problem, state: { ...state, dates: Fold.dates(state, channel.day, channel) }, first: false };
  }
  // Where two took a letter's content out, the words that both saw stand there.
  function textOf({ fold, thread }, letter) {
    const done = fold.redacted.get(letter.head.number);
    if (!done) return letter.content || { text: "" };
    const act = thread.find((one) => one.head.number === done.act);
    return { text: (act && act.content && act.content.text) || "" };
  }
  const nameOf = ({ chain }, id) => { for (const ring of [...chain.rings].reverse()) if (ring.reader(id)) return ring.reader(id).name; return id; };
  async function notesOf(current, opened) {
    const { fold, thread } = opened;
    const found = [t("thread.readers", { names: [...fold.readers.keys()].map((id) => nameOf(current, id)).join(", ") })];
    if (fold.recovery.length) found.push(t("thread.recovery_on"));
    if (current.chain.newest.until < channel.day) found.push(t("who.overdue"));
    const mine = thread.filter((one) => one.head.from === "reporter");
    found.push(t("thread.mine", { day: day(mine[mine.length - 1].head.day), n: mine.length }));
    found.push(t("thread.head", { words: Fold.headWords(current.keys.head, fold, await words()).join(" ") }));
    return found;
  }
  function stateSentence(state) {
    const by = { received: state.dates.acknowledge, acknowledged: state.dates.outcome, contested: state.dates.second }[state.state];
    const from = { received: state.received, acknowledged: state.acknowledged }[state.state] || state.outcome;
    return t(`thread.state_${state.state}`, { day: day(from), by: day(by) });
  }

  async function draw(open) {
    const { state, letters, problem } = open;
    const diary = state.state === "diary";
    const notes = [...open.notes];
    if (state.dates.late) notes.push(t("thread.late", { day: day(state.dates.late) }));
    if (state.dates.keep) notes.push(t("thread.keep", { day: day(state.dates.keep) }));
    const parts = [make("h1", { textContent: t("thread.title"), tabIndex: -1 }), make("p", { className: "card" }, make("strong", { textContent: stateSentence(state) }))];
    parts.push(...notes.map((note) => make("p", { className: "quiet", textContent: note })));
    for (const letter of letters) parts.push(letterOf(open, letter, diary && !open.first));
    if (letters.every((letter) => letter.from === "reporter") && !diary && state.state !== "lost") parts.push(make("p", { textContent: t("thread.nothing") }));
    parts.push(...(problem ? failsForm(open) : replyForm(open, diary)));
    parts.push(diary ? diaryForm(open) : proofForm(open));
    parts.push(make("p", {}, make("a", { className: "b", href: `/?lang=${channel.language}`, textContent: t("thread.leave") })));
    show(...parts);
    if (problem) warn(`${t("thread.stopped")} ${wrong(problem)}`);
  }

  function letterOf(open, letter, pick) {
    const mine = letter.from === "reporter";
    const author = mine ? t("thread.you") : open.first ? open.file.names[letter.from] || letter.from : nameOf(open, letter.from);
    const text = letter.content.text || "";
    const head = make("p", {}, make("b", { textContent: author }), ` · ${t(`kind.${letter.kind}`)}${letter.undone ? ` · ${t("thread.void")}` : ""} · ${day(letter.day)}`);
    const box = make("article", { className: mine ? "letter mine" : "letter" }, head, make("p", { textContent: letter.taken ? t("thread.taken_out", { text }) : text }));
    for (const entry of letter.content.files || []) {
      box.append(make("button", { type: "button", textContent: t("thread.download", { name: entry.name }), onclick: () => download(open, entry) }));
    }
    if (letter.kind === "ask" && !open.problem) box.append(...askOf(open, letter));
    if (pick && letter.stream === "diary") box.append(make("label", { className: "o" }, make("input", { type: "checkbox", name: "pick", value: String(letter.number) }), t("thread.pick")));
    return box;
  }
  // A handler asks for something that needs two: the reporter may be the second.
  function askOf(open, letter) {
    const ask = open.opened.fold.asks.get(letter.hash);
    if (!ask || ask.allowed || ask.what !== "change" || P.hash(letter.content.payload || "") !== ask.payload) return [];
    const what = Fold.readAsk("change", letter.content.payload);
    if (!what || !Fold.canBeDone(open.opened.fold, open.chain.newest, what)) return [];
    const { gains, leaves, recovery } = what;
    const lines = [...gains.map((one) => t("thread.ask_gain", { name: nameOf(open, one.id) })), ...leaves.map((id) => t("thread.ask_leave", { name: nameOf(open, id) }))];
    if (recovery.length) lines.push(t("thread.ask_recovery"), t("who.recovery_note", { holders: open.chain.newest.recovery.map((one) => one.name).join(", ") }));
    if (!lines.length) return []; // nobody agrees to what no sentence says
    const allow = make("button", { type: "button", textContent: t("thread.allow") });
    allow.addEventListener("click", () => once(allow, () => replySecond(open, "allow", { text: "" }, [], { ask: letter.hash })));
    return [...lines.map((line) => make("p", { textContent: line })), allow];
  }
  async function download({ keys }, entry) {
    try {
      const answer = await reach(post("/concern/file", { locator: keys.locator, auth: keys.auth, upload: entry.upload }));
      const bytes = await P.openFile(new Uint8Array(await answer.arrayBuffer()), entry);
      const link = make("a", { href: URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" })), download: entry.name });
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (problem) {
      warn(t(problem instanceof P.CannotOpen ? "back.damaged" : "code.failed"));
    }
  }

  // Keys that do not open for her: she says so under the ones before, and whoever can open them makes new ones.
  function failsForm(current) {
    if (current.first || !["epoch_broken", "wrap_not_mine", "key_other"].includes(current.problem)) return [];
    const { fold, claimed } = current.opened;
    const claims = fold && fold.claims.get(fold.act);
    if (!claims) return [];
    const box = [make("h2", { textContent: t("thread.fails_title") })];
    if (claims.by.has("reporter") || claimed.has("reporter")) return [...box, make("p", { textContent: t("thread.fails_said") })];
    const say = make("button", { type: "button", className: "go wide", id: "fails", textContent: t("thread.fails") });
    const rows = current.file.messages.filter((row) => row.stream === "thread").length;
    say.addEventListener("click", () => once(say, async () => {
      const made = await Fold.fails(current.opened, current.chain.newest, current.me.author, channel.day, rows);
      if (made) await deliver(current, { ...made, uploads: [], contest: false }, "");
    }));
    return [...box, make("p", { textContent: t("thread.fails_note") }), say];
  }
  function replyForm(open, diary) {
    const kinds = ["message", "meeting", "retaliation", "consent_yes", "consent_no"];
    if (open.state.state === "outcome" && !open.state.contested) kinds.push("contest");
    const kind = make("select", { id: "kind" });
    for (const name of kinds) kind.append(make("option", { value: name, textContent: t(`thread.kind_${name}`) }));
    const text = make("textarea", { id: "answer", rows: 6, maxLength: channel.limit, autocomplete: "off" });
    const input = make("input", { type: "file", id: "more", multiple: true });
    const chosen = make("ul");
    const files = new Chosen(input, chosen);
    latest = files;
    const say = make("p", {});
    say.setAttribute("role", "status");
    const send = make("button", { type: "button", className: "go wide", id: "reply", textContent: t(diary ? "thread.add" : "thread.send") });
    send.addEventListener("click", () => once(send, () => reply(open, diary ? "diary" : kind.value, text.value.trim(), files, (line) => { say.textContent = line; })));
    const ask = diary ? [] : [make("label", { htmlFor: "kind", textContent: t("thread.kind") }), kind, make("p", { className: "quiet", textContent: t("thread.retaliation_hint") })];
    return [
      make("h2", { textContent: t("thread.reply") }), make("p", { className: "quiet", textContent: t("thread.reply_hint") }), ...ask,
      make("label", { htmlFor: "answer", textContent: t("write.text") }), text,
      make("label", { htmlFor: "more", textContent: t("write.files") }), input, chosen, say, make("p", {}, send),
    ];
  }
  async function once(button, act) {
    if (button.disabled) return;
    button.disabled = true;
    warn("");
    try {
      await act();
    } catch (problem) {
      if (problem instanceof Full) warn(t("write.files_full"));
      else warn(problem instanceof P.CannotOpen ? `${t("back.damaged")} ${wrong(problem.message)}` : t("code.failed"));
    } finally {
      button.disabled = false;
    }
  }
  async function reply(current, kind, text, files, say) {
    if (!text && !files.files.length) return warn(t("write.empty"));
    if (await codeInside([text], current.secret)) return warn(t("write.code_inside"));
    const content = { text };
    if (kind.startsWith("consent_")) content.consent = kind === "consent_yes";
    if (!Fold.fits(content)) return warn(t("write.long"));
    const entries = await reach(files.upload(say));
    if (entries.length) content.files = entries;
    const uploads = entries.map((entry) => entry.upload);
    return current.first ? replyFirst(current, kind, content, uploads) : replySecond(current, kind.split("_")[0], content, uploads);
  }
  async function replySecond(current, kind, content, uploads, terms = {}) {
    const { me, house, chain, opened } = current;
    const made = kind === "diary"
      ? await Fold.diaryLetter(me, house.hash, channel.day, content, opened.diary)
      : await Fold.letter(opened.fold, chain.newest, me.author, kind, channel.day, content, terms);
    await deliver(current, { ...made, uploads, contest: kind === "contest" }, content.text);
  }
  async function replyFirst({ keys, file, old, opened, secret }, kind, content, uploads) {
    const stream = kind === "diary" ? "diary" : "thread";
    const place = P.nextPlace(file.case, stream, opened.streams[stream] || []);
    const ring = old.length ? old[old.length - 1].fingerprint : "";
    const signed = P.write(place, { name: "reporter", seed: keys.ed25519 }, kind.split("_")[0], channel.day, ring, content);
    const sealed = P.base64(await P.seal(signed, opened.recipients[stream].recipient));
    await deliver({ keys, secret }, { stream, number: place.number, sealed, uploads, contest: kind === "contest" }, content.text);
  }
  async function deliver({ keys, secret }, message, text) {
    const answer = await reach(post("/concern/reply", { locator: keys.locator, auth: keys.auth, ...message }));
    if (answer.status === 409) {
      const [kind, files] = [byId("kind") && byId("kind").value, latest ? latest.files : []];
      await open(secret);
      if (!byId("answer")) byId("letters").append(make("textarea", { id: "answer", rows: 6 })); // where nothing may be written on, her words stay
      byId("answer").value = text;
      if (byId("kind") && kind) byId("kind").value = kind;
      for (const file of files) latest.add(file);
      return warn(t("thread.stale"));
    }
    if (!answer.ok) throw new Failed();
    await open(secret);
  }

  // A diary: send the chosen parts to those who may read, or throw it away.
  function diaryForm(current) {
    const box = make("section", { className: "card" });
    const remove = make("button", { type: "button", textContent: t("thread.delete_sure") });
    remove.addEventListener("click", () => once(remove, async () => {
      const answer = await reach(post("/concern/diary/delete", { locator: current.keys.locator, auth: current.keys.auth }));
      if (!answer.ok) throw new Failed();
      location.replace(`/?lang=${channel.language}`);
    }));
    if (current.first || !current.chain) box.append(make("p", { textContent: t("thread.old_diary") }));
    else {
      const choice = byId("who").querySelector(".readers").cloneNode(true);
      for (const field of choice.querySelectorAll("input")) { field.name = `diary.${field.name}`; field.checked = (field.value === "no") === keptOut.has(field.name.slice("diary.reads.".length)); }
      const send = make("button", { type: "button", className: "go wide", id: "send-diary", textContent: t("thread.send_diary") });
      send.addEventListener("click", () => once(send, () => sendDiary(current, box)));
      box.append(make("h2", { textContent: t("thread.send_diary") }), choice, send);
    }
    box.append(make("details", {}, make("summary", { textContent: t("thread.delete") }), remove));
    return box;
  }
  async function sendDiary(current, box) {
    const { me, house, chain, opened } = current;
    const picks = new Set([...byId("letters").querySelectorAll("[name=pick]:checked")].map((one) => Number(one.value)));
    const chosen = opened.diary.filter((entry) => picks.has(entry.head.number));
    const out = new Set([...box.querySelectorAll("[value=no]:checked")].map((one) => one.name.slice("diary.reads.".length)));
    keptOut = out;
    if (!chosen.length) return warn(t("write.empty"));
    if (!askedFor(box, chain.newest)) { askAbout(chain.newest); await open(current.secret); return warn(t("who.changed")); }
    if (chain.newest.readers.every((one) => out.has(one.id))) return warn(t("who.few_stop"));
    const diary = chosen.map((entry) => ({ day: entry.head.day, text: entry.content.text }));
    const files = chosen.flatMap((entry) => entry.content.files || []);
    const content = { text: diary.map((part) => `${part.day}\n${part.text}`).join("\n\n"), diary, ...(files.length ? { files } : {}) };
    if (!Fold.fits(content)) return warn(t(files.length > 5 ? "write.files_many" : "write.long"));
    const made = await Fold.firstLetter(me, chain.newest, house.hash, out, channel.day, content);
    if (await relisted(chain)) { await open(current.secret); return warn(t("who.changed")); }
    await deliver(current, { stream: "thread", number: 1, epoch: 1, sealed: made.sealed, uploads: [], epochs: [made.epoch] }, "");
  }
  function proofForm({ keys, me, first, opened }) {
    const shown = make("pre", { className: "card scroll", hidden: true });
    const ask = make("button", { type: "button", textContent: t("thread.proof") });
    ask.addEventListener("click", () => once(ask, async () => {
      const answer = await reach(post("/concern/proof", { locator: keys.locator, auth: keys.auth, signer: me.signer, reader: me.reader }));
      if (!answer.ok) throw new Failed();
      const { proof } = await answer.json();
      const filed = JSON.parse(JSON.parse(proof).filing).filed;
      const written = first || !opened.fold ? filed : opened.fold.received;
      if (filed < written || filed > Fold.addDays(written, 1)) return warn(t("thread.proof_other")); // it may have been on its way at midnight
      shown.textContent = proof;
      shown.hidden = false;
    }));
    return make("details", {}, make("summary", { textContent: t("thread.proof") }), make("p", { textContent: t("thread.proof_note") }), ask, shown);
  }

  function start() {
    byId("returning").append(make("button", { type: "button", className: "go wide", id: "open", textContent: t("back.go"), onclick: typed }));
  }
  return { open, start };
})();
Concern.start();
Letters.start();
