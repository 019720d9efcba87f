// Coming back with the code: open the thread on this device, answer, send parts of a diary.
"use strict";
const Letters = (() => {
  const { P, channel, t, byId, make, day, warn, call, post, keyrings, words, Chosen, keptOut, recipientsOf, show, reach, Failed } = Concern;
  const status = (sentence) => { byId("opening").textContent = sentence; };

  async function typed() {
    warn("");
    status(t("back.opening"));
    try {
      const text = byId("typed").value;
      const secret = P.readCode(text, /\p{L}/u.test(text) ? await words() : []);
      await open(secret);
      byId("typed").value = "";
    } catch (problem) {
      warn(problem instanceof P.NotACode ? t("back.bad") : t("code.failed"));
    } finally {
      status("");
    }
  }

  async function open(secret) {
    const keys = await P.derive(secret, channel.salt);
    const answer = await reach(post("/concern/thread", { locator: keys.locator, auth: keys.auth }));
    if (answer.status === 404) return warn(t("back.unknown"));
    if (!answer.ok) throw new Failed();
    const file = await answer.json();
    try {
      const rings = await reach(keyrings());
      const opened = await P.readCase(file, keys.identity, P.signersOf(rings));
      draw({ secret, keys, file, rings, opened });
    } catch (problem) {
      if (problem instanceof P.CannotOpen) return warn(t("back.damaged"));
      throw problem;
    }
  }

  function stateSentence(file) {
    const by = { received: file.dates.acknowledge, acknowledged: file.dates.outcome, contested: file.dates.second }[file.state];
    const from = { received: file.received, acknowledged: file.acknowledged }[file.state] || file.outcome;
    return t(`thread.state_${file.state}`, { day: day(from), by: day(by) });
  }
  function notes({ file, rings, opened }) {
    const found = [];
    const thread = opened.streams.thread || [];
    if (file.state !== "diary") found.push(t("thread.readers", { names: file.readers.filter((id) => file.names[id]).map((id) => file.names[id]).join(", ") }));
    if (file.readers.includes("recovery")) found.push(t("thread.recovery_on"));
    if (thread.length && thread[0].body.keyring !== rings[rings.length - 1].fingerprint) found.push(t("thread.readers_changed"));
    if (file.dates.late) found.push(t("thread.late", { day: day(file.dates.late) }));
    if (file.recovered) found.push(t("thread.recovered", { day: day(file.recovered) }));
    if (file.dates.keep) found.push(t("thread.keep", { day: day(file.dates.keep) }));
    return found;
  }

  function draw(open) {
    const { file, opened } = open;
    const diary = file.state === "diary";
    const parts = [make("h1", { textContent: t("thread.title"), tabIndex: -1 }), make("p", { className: "card" }, make("strong", { textContent: stateSentence(file) }))];
    parts.push(...notes(open).map((note) => make("p", { className: "quiet", textContent: note })));
    for (const stream of ["diary", "thread"]) for (const letter of opened.streams[stream] || []) parts.push(letterOf(open, letter, diary && stream === "diary"));
    if ((opened.streams.thread || []).every((letter) => letter.from === "reporter") && !diary) parts.push(make("p", { textContent: t("thread.nothing") }));
    parts.push(...replyForm(open, diary));
    parts.push(diary ? diaryForm(open) : proofForm(open));
    parts.push(make("p", {}, make("a", { className: "b", href: `/?lang=${channel.language}`, textContent: t("thread.leave") })));
    show(...parts);
  }

  function letterOf(open, letter, pick) {
    const mine = letter.from === "reporter";
    const head = make("p", {}, make("b", { textContent: mine ? t("thread.you") : open.file.names[letter.from] || letter.from }), ` · ${t(`kind.${letter.kind}`)} · ${day(letter.day)}`);
    const box = make("article", { className: mine ? "letter mine" : "letter" }, head, make("p", { textContent: letter.body.text || "" }));
    for (const entry of letter.body.files || []) {
      box.append(make("button", { type: "button", textContent: t("thread.download", { name: entry.name }), onclick: () => download(open, entry) }));
    }
    if (pick) box.append(make("label", { className: "o" }, make("input", { type: "checkbox", name: "pick", value: String(letter.number) }), t("thread.pick")));
    return box;
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

  function replyForm(open, diary) {
    const kinds = ["message", "meeting", "retaliation", "consent_yes", "consent_no"];
    if (open.file.state === "outcome" && !open.file.contested) kinds.push("contest");
    const kind = make("select", { id: "kind" });
    for (const name of kinds) kind.append(make("option", { value: name, textContent: t(`thread.kind_${name}`) }));
    const text = make("textarea", { id: "answer", rows: 6, maxLength: channel.limit, autocomplete: "off" });
    const input = make("input", { type: "file", id: "more", multiple: true });
    const chosen = make("ul");
    const files = new Chosen(input, chosen);
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
      warn(t(problem instanceof P.CannotOpen ? "back.damaged" : "code.failed"));
    } finally {
      button.disabled = false;
    }
  }
  async function reply(current, kind, text, files, say) {
    if (!text && !files.files.length) return warn(t("write.empty"));
    const { keys, file, rings, opened, secret } = current;
    const stream = kind === "diary" ? "diary" : "thread";
    const content = { text };
    if (kind.startsWith("consent_")) content.consent = kind === "consent_yes";
    const entries = await reach(files.upload(say));
    if (entries.length) content.files = entries;
    const place = P.nextPlace(file.case, stream, opened.streams[stream] || []);
    const signed = P.write(place, { name: "reporter", seed: keys.ed25519 }, kind.split("_")[0], channel.day, rings[rings.length - 1].fingerprint, content);
    const sealed = P.base64(await P.seal(signed, opened.recipients[stream].recipient));
    await deliver(current, { stream, number: place.number, sealed, uploads: entries.map((entry) => entry.upload), contest: kind === "contest" }, text);
    return secret;
  }
  async function deliver({ keys, secret }, message, text) {
    const answer = await reach(post("/concern/reply", { locator: keys.locator, auth: keys.auth, ...message }));
    if (answer.status === 409) {
      await open(secret);
      if (byId("answer")) byId("answer").value = text;
      return warn(t("thread.stale"));
    }
    if (!answer.ok) throw new Failed();
    await open(secret);
  }

  // A diary: send the chosen parts to those who may read, or throw it away.
  function diaryForm(current) {
    const ring = current.rings[current.rings.length - 1];
    const box = make("section", { className: "card" }, make("h2", { textContent: t("thread.send_diary") }));
    for (const label of byId("who").querySelectorAll("label.o")) box.append(label.cloneNode(true));
    const send = make("button", { type: "button", className: "go wide", id: "send-diary", textContent: t("thread.send_diary") });
    send.addEventListener("click", () => once(send, () => sendDiary(current, ring, box)));
    const remove = make("button", { type: "button", textContent: t("thread.delete_sure") });
    remove.addEventListener("click", () => once(remove, async () => {
      const answer = await reach(post("/concern/diary/delete", { locator: current.keys.locator, auth: current.keys.auth }));
      if (!answer.ok) throw new Failed();
      location.replace(`/?lang=${channel.language}`);
    }));
    box.append(send, make("details", {}, make("summary", { textContent: t("thread.delete") }), remove));
    return box;
  }
  async function sendDiary(current, ring, box) {
    const { keys, file, opened } = current;
    const picks = new Set([...byId("letters").querySelectorAll("[name=pick]:checked")].map((one) => Number(one.value)));
    const chosen = opened.streams.diary.filter((entry) => picks.has(entry.number));
    const recipients = recipientsOf(ring, keptOut(box), keys);
    if (!chosen.length || !recipients) return warn(t(chosen.length ? "who.few_stop" : "write.empty"));
    const diary = chosen.map((entry) => ({ day: entry.day, text: entry.body.text || "" }));
    const files = chosen.flatMap((entry) => entry.body.files || []);
    const content = { text: diary.map((part) => `${part.day}\n${part.text}`).join("\n\n"), diary, ...(files.length ? { files } : {}) };
    const me = { name: "reporter", seed: keys.ed25519 };
    const { sealed } = await P.newEpoch({ case: file.case, stream: "thread", number: 1 }, me, keys.signer, recipients);
    const place = { case: file.case, stream: "thread", number: 1, before: P.FIRST };
    const signed = P.write(place, me, "report", channel.day, ring.fingerprint, content);
    await deliver(current, { stream: "thread", number: 1, sealed: P.base64(await P.seal(signed, sealed.recipient)), uploads: [], epoch: sealed }, "");
  }
  function proofForm({ keys }) {
    const shown = make("pre", { className: "card scroll", hidden: true });
    const ask = make("button", { type: "button", textContent: t("thread.proof") });
    ask.addEventListener("click", () => once(ask, async () => {
      const answer = await reach(post("/concern/proof", { locator: keys.locator, auth: keys.auth }));
      if (!answer.ok) throw new Failed();
      shown.textContent = (await answer.json()).proof;
      shown.hidden = false;
    }));
    return make("details", {}, make("summary", { textContent: t("thread.proof") }), make("p", { textContent: t("thread.proof_note") }), ask, shown);
  }

  function start() {
    byId("returning").append(make("button", { type: "button", className: "go wide", id: "open", textContent: t("back.go"), onclick: typed }));
  }
  return { open, start, call };
})();
Concern.start();
Letters.start();
