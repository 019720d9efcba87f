// One case: the thread, notes, duties, and what a handler may do with it.
"use strict";
const Case = (() => {
  const { P, t, byId, make, button, day, warn, call } = Keys;
  const { here, ring, nameOf, send, number } = Board;
  const PIECE = 256 * 1024;
  let now = null;

  async function open(id) {
    warn("");
    const answer = await call(`/cases/case/${id}`);
    if (!answer.ok) { await Board.showInbox(); return warn(t("case.gone")); }
    const file = await answer.json();
    try {
      const opened = await P.readCase(file, here.keys.identity, here.handlers);
      now = { file, opened };
      if (file.rekey) return await changeKeys([]);
      draw();
    } catch (problem) {
      if (!(problem instanceof P.CannotOpen)) throw problem;
      byId("board").replaceChildren(back(), make("p", { className: "card bad", textContent: t("case.damaged") }));
    }
  }
  const back = () => button(t("case.back"), () => Board.showInbox());
  const me = () => ({ name: here.desk.name, seed: here.keys.ed25519 });
  const thread = () => now.opened.streams.thread || [];
  const notes = () => now.opened.streams.notes || [];

  function draw() {
    const { file } = now;
    const left = [make("h1", { textContent: `${t("case.title")} ${number(file.case)}` }), back(), ...thread().map(letter), ...writing()];
    const right = [duties(), people(), notesBox(), closing()];
    byId("board").replaceChildren(make("div", { className: "case" }, make("div", {}, ...left), make("aside", {}, ...right)));
  }
  function letter(one) {
    const mine = one.from !== "reporter" && one.body.of !== "reporter";
    const box = make("article", { className: mine ? "letter mine" : "letter" },
      make("p", {}, make("b", { textContent: mine ? nameOf(one.from) : t("case.reporter") }), ` · ${t(`kind.${one.kind}`)}${one.kind === "redacted" ? ` (${nameOf(one.from)})` : ""} · ${day(one.day)}`), make("p", { textContent: one.body.text || "" }));
    const more = ["where", "when", "who"].filter((name) => one.body[name]).map((name) => `${t(`case.${name}`)}: ${one.body[name]}`);
    if (one.body.what) more.unshift(t(`write.what_${one.body.what}`));
    if (one.body.danger) more.push(t(`case.danger_${one.body.danger}`));
    if ("consent" in one.body) more.push(t(one.body.consent ? "case.consent_yes" : "case.consent_no"));
    for (const wish of one.body.wish || []) more.push(t(`write.wish_${wish}`));
    if (more.length) box.append(make("ul", {}, ...more.map((line) => make("li", { textContent: line }))));
    for (const entry of one.body.files || []) box.append(button(`${t("case.show_file")} ${entry.name}`, () => showFile(box, entry)));
    if (one.body.text && one.kind !== "redacted") box.append(redaction(one));
    return box;
  }

  // An attachment opens in a frame of an opaque origin, where nothing can run or reach out.
  async function showFile(box, entry) {
    try {
      const answer = await call(`/cases/case/${now.file.case}/file/${entry.upload}`);
      if (!answer.ok) return warn(t("case.gone"));
      const bytes = await P.openFile(new Uint8Array(await answer.arrayBuffer()), entry);
      const kind = entry.type === "image/jpeg" ? "image/jpeg" : "application/octet-stream";
      const address = URL.createObjectURL(new Blob([bytes], { type: kind }));
      if (kind === "image/jpeg") {
        const frame = make("iframe", { className: "file", title: entry.name });
        frame.setAttribute("sandbox", "");
        frame.src = address;
        box.append(frame);
      }
      box.append(make("p", { className: "quiet", textContent: t("case.file_note") }), make("a", { href: address, download: entry.name, textContent: `${t("case.save")} ${entry.name}` }));
    } catch (problem) {
      warn(t(problem instanceof P.CannotOpen ? "case.damaged" : "case.failed"));
    }
  }

  function duties() {
    const { file } = now;
    const rows = file.duties.map((duty) => make("li", { className: duty.late ? "bad" : "", textContent: `${t(`duty.${duty.what}`)}: ${duty.late ? `${t("desk.late")} · ` : ""}${day(duty.by)}` }));
    const facts = [`${t("desk.state")}: ${t(`state.${file.state}`)}`, `${t("desk.received")}: ${day(file.received)}`];
    if (file.pressing) facts.push(t(`case.pressing_${file.pressing}`));
    if (file.dates.keep) facts.push(t("case.keep", { day: day(file.dates.keep) }));
    if (file.recovered) facts.push(t("case.recovered", { day: day(file.recovered) }));
    return make("section", { className: "card" }, make("h2", { textContent: t("case.duties") }), make("ul", {}, ...rows), ...facts.map((line) => make("p", { textContent: line })));
  }
  function people() {
    const { file } = now;
    const box = make("section", { className: "card" }, make("h2", { textContent: t("case.readers") }), make("p", { textContent: file.readers.map((id) => (id === "recovery" ? t("case.recovery") : nameOf(id))).join(", ") }));
    box.append(sure(t("case.step_out"), t("case.step_out_sure"), async () => {
      const answer = await send(`/cases/case/${file.case}/out`, {});
      if (!answer.ok) return warn(t("case.last"));
      await Board.showInbox();
    }));
    for (const id of file.readers) {
      if (id === here.desk.name || id === "recovery") continue;
      box.append(sure(t("case.exclude", { name: nameOf(id) }), t("case.exclude_sure", { name: nameOf(id) }), () => changeKeys([id])));
    }
    box.append(sure(t(file.my_hold ? "case.unhold" : "case.hold"), t("case.hold_note", { n: file.holds }), async () => {
      await send(`/cases/case/${file.case}/hold`, { wanted: !file.my_hold });
      await open(file.case);
    }), button(t("case.export"), exportCase));
    return box;
  }
  function sure(label, sentence, act) {
    return make("details", {}, make("summary", { textContent: label }), make("p", { textContent: sentence }), button(label, () => act().catch(() => warn(t("case.failed"))), "danger"));
  }

  // --- writing ---
  function writing() {
    const { file } = now;
    const kinds = ["message", "question", "forward"];
    if (file.state === "received") kinds.unshift("acknowledge");
    if (["received", "acknowledged"].includes(file.state)) kinds.push("outcome");
    if (file.state === "contested" && here.desk.outside) kinds.push("final");
    const kind = make("select", { id: "kind" }, ...kinds.map((name) => make("option", { value: name, textContent: t(`case.kind_${name}`) })));
    const text = make("textarea", { id: "answer", rows: 7, maxLength: 30000 });
    const attached = make("input", { type: "file", id: "attach" });
    const go = button(t("case.send"), () => writeWith(kind.value, text.value.trim(), attached.files[0]).catch(() => warn(t("case.failed"))), "go");
    go.id = "send";
    return [make("h2", { textContent: t("case.write") }), make("label", { htmlFor: "kind", textContent: t("case.kind") }), kind,
      make("label", { htmlFor: "answer", textContent: t("case.text") }), make("p", { className: "quiet", textContent: t("case.text_hint") }), text,
      make("label", { htmlFor: "attach", textContent: t("case.attach") }), attached, go];
  }
  async function writeWith(chosen, text, file) {
    const content = { text };
    if (file) {
      const made = await P.sealFile(file.name, file.type === "image/jpeg" ? file.type : "application/octet-stream", new Uint8Array(await file.arrayBuffer()));
      for (let start = 0, n = 0; start < made.sealed.length; start += PIECE, n += 1) {
        const kept = await call(`/cases/piece/${made.entry.upload}/${n}`, undefined, { method: "PUT", body: made.sealed.subarray(start, start + PIECE), headers: { "X-Form": here.desk.form } });
        if (!kept.ok) return warn(t("case.failed"));
      }
      content.files = [made.entry];
    }
    await write("thread", chosen, content);
  }
  async function write(stream, chosen, content) {
    if (!content.text) return warn(t("case.empty"));
    if (["outcome", "final"].includes(chosen) && content.text.length < 40) return warn(t("case.reasons"));
    const { file, opened } = now;
    const kind = chosen === "final" ? "outcome" : chosen;
    const message = { stream, move: ["acknowledge", "outcome", "final"].includes(chosen) ? chosen : "", uploads: (content.files || []).map((entry) => entry.upload) };
    const place = P.nextPlace(file.case, stream, opened.streams[stream] || []);
    let recipient = opened.recipients[stream] && opened.recipients[stream].recipient;
    if (!recipient) {
      const made = await newEpoch("notes", 1, file.readers);
      message.epoch = made.sealed;
      recipient = made.sealed.recipient;
    }
    const signed = P.write(place, me(), kind, here.desk.day, ring().fingerprint, content);
    const answer = await send(`/cases/case/${file.case}/write`, { ...message, number: place.number, sealed: P.base64(await P.seal(signed, recipient)) });
    if (answer.status === 409) { await open(file.case); return warn(t("case.stale")); }
    if (!answer.ok) return warn(t("case.failed"));
    await open(file.case);
  }
  function notesBox() {
    const triage = make("select", { id: "triage" }, make("option", { value: "", textContent: t("case.triage_none") }), ...["whistleblowing", "harassment", "both", "neither"].map((name) => make("option", { value: name, textContent: t(`triage.${name}`) })));
    const text = make("textarea", { id: "note", rows: 3 });
    const last = notes().filter((one) => one.kind === "triage").slice(-1)[0];
    const go = button(t("case.note_add"), () => write("notes", triage.value ? "triage" : "note", triage.value ? { text: text.value.trim() || t(`triage.${triage.value}`), triage: triage.value } : { text: text.value.trim() }).catch(() => warn(t("case.failed"))));
    return make("section", { className: "card" }, make("h2", { textContent: t("case.notes") }), make("p", { className: "quiet", textContent: t("case.notes_note") }),
      make("p", {}, make("b", { textContent: last ? t(`triage.${last.body.triage}`) : t("case.triage_none") })),
      ...notes().map((one) => make("p", { className: "letter", textContent: `${nameOf(one.from)} · ${day(one.day)}\n${one.body.text}` })),
      make("label", { htmlFor: "triage", textContent: t("case.triage") }), triage, make("p", { className: "quiet", textContent: t("case.triage_note") }),
      make("label", { htmlFor: "note", textContent: t("case.note") }), text, go);
  }
  function closing() {
    return make("section", { className: "card" }, make("h2", { textContent: t("case.care") }), make("ul", {}, ...["identity", "meeting", "accused", "crime", "retaliation"].map((name) => make("li", { textContent: t(`care.${name}`) }))));
  }

  // What is not needed may be taken out; the chain stands, and the change is signed.
  function redaction(one) {
    const text = make("textarea", { rows: 4, value: one.body.text });
    return make("details", {}, make("summary", { textContent: t("case.redact") }), make("p", { className: "quiet", textContent: t("case.redact_note") }), text, button(t("case.redact_save"), () => redact(one, text.value).catch(() => warn(t("case.failed")))));
  }
  async function redact(one, text) {
    const { file, opened } = now;
    const place = { case: file.case, stream: "thread", number: one.number, before: one.body.before };
    const signed = P.write(place, me(), "redacted", here.desk.day, ring().fingerprint, { text, was: one.hash, files: one.body.files || [], of: one.from });
    const sealed = P.base64(await P.seal(signed, opened.recipients.thread.recipient));
    const answer = await send(`/cases/case/${file.case}/redact`, { number: one.number, sealed });
    if (!answer.ok) return warn(t("case.failed"));
    await open(file.case);
  }

  // --- keys: a new epoch for those who stay ---
  async function newEpoch(stream, epochNumber, names) {
    const { file, opened } = now;
    const recipients = {};
    for (const name of names) {
      const reader = ring().readers.find((one) => one.id === name);
      if (name === "recovery" && stream === "thread" && ring().recovery) recipients.recovery = ring().recovery;
      else if (reader) recipients[name] = reader.recipient;
    }
    if (stream === "thread") recipients.reporter = file.reader;
    return P.newEpoch({ case: file.case, stream, number: epochNumber }, me(), opened.reporter, recipients);
  }
  async function changeKeys(without) {
    const { file, opened } = now;
    const names = file.readers.filter((name) => !without.includes(name));
    const streams = [];
    for (const stream of ["thread", "notes"].filter((one) => opened.keys[one])) {
      const { sealed } = await newEpoch(stream, opened.recipients[stream].number + 1, names);
      const messages = [];
      for (const message of file.messages.filter((one) => one.stream === stream)) {
        const plain = await P.decrypt(P.unbase64(message.sealed), opened.keys[stream][message.epoch]);
        messages.push(P.base64(await P.encrypt(plain, sealed.recipient)));
      }
      streams.push({ epoch: sealed, messages });
    }
    const answer = await send(`/cases/case/${file.case}/rekey`, { streams });
    if (!answer.ok) return warn(t("case.failed"));
    await open(file.case);
  }

  async function exportCase() {
    const { file } = now;
    const files = {};
    for (const upload of file.uploads) {
      const answer = await call(`/cases/case/${file.case}/file/${upload}`);
      if (answer.ok) files[upload] = P.base64(new Uint8Array(await answer.arrayBuffer()));
    }
    const content = { v: 1, handler: here.desk.name, salt: here.desk.salt, bundle: here.desk.bundle, keyrings: here.desk.keyrings, file, files };
    const link = make("a", { href: URL.createObjectURL(new Blob([JSON.stringify(content)], { type: "application/json" })), download: `case-${number(file.case)}.json` });
    link.click();
    URL.revokeObjectURL(link.href);
  }
  return { open };
})();
Board.start();
