// One case on the handlers' desk: opened and checked here, letters, deadlines, notes, and what a handler may do with it.
"use strict";
const Case = (() => {
  const { P, t, byId, make, button, day, warn, call } = Keys;
  const { here, nameOf, wrong, send, number } = Board;
  const PIECE = 256 * 1024;
  let now = null;

  async function open(id) {
    warn("");
    const answer = await call(`/cases/case/${id}`);
    if (!answer.ok) { await Board.showInbox(); return warn(t(answer.status === 409 ? "case.damaged" : "case.gone")); }
    const file = await answer.json();
    try {
      now = file.version === 1 ? await openFirst(file) : await openSecond(file);
      draw();
      if (!now.first && !now.problem) await Acts.confirm(now).then(() => Acts.stand(now));
    } catch (problem) {
      if (!(problem instanceof P.CannotOpen)) throw problem;
      byId("board").replaceChildren(back(), make("p", { className: "card bad", textContent: `${t("case.damaged")} ${wrong(problem.message)}` }));
    }
  }
  const again = () => open(now.file.case);
  // Version 1: read by its own rules, marked; no keys change and nothing is taken out any more.
  async function openFirst(file) {
    if (!Object.keys(here.handlers).length) throw new P.CannotOpen("fork"); // no list of version 1 was ever published here
    const opened = await P.readCase(file, here.keys.identity, here.handlers, file.case, "");
    const problem = Memory.checkFirst(file.case, (opened.streams.thread || []).map((one) => one.hash));
    if (!problem) await Memory.keep(here.desk.name, here.keys);
    const shown = (stream) => (opened.streams[stream] || []).map((one) => ({ from: one.from, kind: one.kind, day: one.day, content: Fold.firstContent(one.body), number: one.number }));
    const state = { state: file.state, received: file.received, keep: file.dates.keep, duties: file.duties, pressing: file.pressing };
    return { file, opened, first: true, problem, letters: shown("thread"), notes: shown("notes"), state, readers: file.readers, warnings: [] };
  }
  async function openSecond(file) {
    if (!here.chain) throw new P.CannotOpen("ring_old");
    const me = { name: here.desk.name, identity: here.keys.identity, first: {} };
    const opened = await Fold.openCase(file, me, here.house.hash, here.chain);
    const { fold } = opened;
    const remembered = Memory.checkCase(opened);
    if (!remembered) await Memory.keep(here.desk.name, here.keys);
    const words = (one) => {
      const done = fold.redacted.get(one.head.number);
      const act = done && opened.thread.find((each) => each.head.number === done.act);
      return done ? { text: (act && act.content && act.content.text) || "" } : one.content || { text: "" };
    };
    const letters = opened.thread.map((one) => ({ ...one.head, content: words(one), whole: one, taken: fold.redacted.has(one.head.number), undone: fold.void.has(one.head.number) }));
    const notes = opened.notes.map((one) => ({ ...one.head, content: one.content, late: opened.lateNotes.get(one.head.number) || "" }));
    const today = here.desk.day;
    const state = { state: fold.state, received: fold.received, keep: Fold.dates(fold, today, here.desk).keep, duties: FoldDesk.duties(fold, today), pressing: FoldDesk.pressing(fold, today) };
    return { file, opened, first: false, problem: opened.problem || remembered, letters, notes, state, readers: [...fold.readers.keys()], warnings: fold.warnings };
  }
  const back = () => button(t("case.back"), () => Board.showInbox());

  function draw() {
    const { file, letters, problem } = now;
    const left = [make("h1", { textContent: `${t("case.title")} ${number(file.case)}` }), back()];
    if (now.first) left.push(make("p", { className: "card care", textContent: t("case.old_form") }));
    for (const word of now.warnings) left.push(make("p", { className: "card care", textContent: wrong(word) }));
    if (problem) left.push(make("p", { className: "card bad", textContent: `${t("case.stopped")} ${wrong(problem)}` }), ...undoOffer());
    if (!now.first && !problem) left.push(Acts.help(now, again), Acts.due(now, again), Acts.asks(now, again));
    left.push(...letters.map(letter), ...(problem ? [] : writing()));
    const right = [duties(), people(), notesBox(), closing()];
    byId("board").replaceChildren(make("div", { className: "case" }, make("div", {}, ...left.filter(Boolean)), make("aside", {}, ...right)));
  }
  function undoOffer() {
    if (now.first || !["epoch_broken", "wrap_not_mine", "key_other"].includes(now.problem) || !now.opened.fold) return [];
    const { fold } = now.opened;
    const back = fold.undo.get(fold.act);
    if (!back || !Fold.mayClaim(back, fold, here.desk.name)) return [];
    const said = Acts.claimers(now);
    const parts = [];
    if (said.size) parts.push(make("p", { className: "card care", textContent: t("fails.said", { names: [...said].map((id) => (id === "reporter" ? t("case.reporter") : nameOf(id))).join(", ") }) }));
    if (!said.has(here.desk.name)) parts.push(sure(t("fails.say"), t("fails.say_note"), async () => { if (await Acts.fails(now)) await again(); }));
    return parts;
  }
  function letter(one) {
    const mine = one.from !== "reporter";
    const kind = one.undone ? `${t(`kind.${one.kind}`)} · ${t("case.void")}` : t(`kind.${one.kind}`);
    const text = one.taken ? t("case.taken_out", { text: one.content.text }) : one.content.text || "";
    const box = make("article", { className: mine ? "letter mine" : "letter" },
      make("p", {}, make("b", { textContent: mine ? nameOf(one.from) : t("case.reporter") }), ` · ${kind} · ${day(one.day)}`), make("p", { textContent: text }));
    const { content } = one;
    const more = ["where", "when", "who"].filter((name) => content[name]).map((name) => `${t(`case.${name}`)}: ${content[name]}`);
    if (content.what) more.unshift(t(`write.what_${content.what}`));
    if (content.danger) more.push(t(`case.danger_${content.danger}`));
    if ("consent" in content) more.push(t(content.consent ? "case.consent_yes" : "case.consent_no"));
    for (const wish of content.wish || []) more.push(t(`write.wish_${wish}`));
    if (more.length) box.append(make("ul", {}, ...more.map((line) => make("li", { textContent: line }))));
    for (const entry of content.files || []) box.append(button(`${t("case.show_file")} ${entry.name}`, () => showFile(box, entry)));
    if (!now.first && !now.problem && one.whole.content && one.content.text && !one.taken && ["report", "message", "retaliation", "meeting", "contest", "question", "outcome"].includes(one.kind)) box.append(redaction(one));
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
    const { state } = now;
    const rows = state.duties.map((duty) => make("li", { className: duty.late ? "bad" : "", textContent: `${t(`duty.${duty.what}`)}: ${duty.late ? `${t("desk.late")} · ` : ""}${day(duty.by)}` }));
    const facts = [`${t("desk.state")}: ${t(`state.${state.state}`)}`, `${t("desk.received")}: ${day(state.received)}`];
    if (state.pressing) facts.push(t(`case.pressing_${state.pressing}`));
    if (state.keep) facts.push(t("case.keep", { day: day(state.keep) }));
    return make("section", { className: "card" }, make("h2", { textContent: t("case.duties") }), make("ul", {}, ...rows), ...facts.map((line) => make("p", { textContent: line })));
  }
  function people() {
    const { file, readers, first, opened } = now;
    const names = readers.map((id) => (id === "recovery" ? t("case.recovery") : nameOf(id)));
    if (!first && opened.fold.recovery.length) names.push(t("case.recovery"));
    const box = make("section", { className: "card" }, make("h2", { textContent: t("case.readers") }), make("p", { textContent: names.join(", ") }));
    if (!now.problem) {
      box.append(sure(t("case.step_out"), t("case.step_out_sure"), stepOut));
      if (!first) box.append(...changes());
      const { mine, count } = holds();
      if (count !== file.holds || (count >= 2 && !file.held)) box.append(make("p", { className: "bad", textContent: t("case.hold_differs", { n: count, m: file.held ? Math.max(2, file.holds) : file.holds }) }));
      box.append(sure(t(mine ? "case.unhold" : "case.hold"), t("case.hold_note", { n: count }), async () => {
        if (!first) await Acts.note(now, mine ? "lift" : "hold", { text: "" });
        await send(`/cases/case/${file.case}/hold`, { wanted: !mine });
        await again();
      }));
    }
    box.append(button(t("case.export"), exportCase));
    return box;
  }
  // Who asks that the case is kept, by signed notes; of a case of before, by what our computer says.
  function holds() {
    const { file, first, notes, opened } = now;
    if (first || opened.notesProblem) return { mine: file.my_hold, count: file.holds };
    const by = new Map();
    for (const one of notes) if (["hold", "lift"].includes(one.kind)) by.set(one.from, one.kind === "hold");
    return { mine: by.get(here.desk.name) === true, count: [...by.values()].filter(Boolean).length };
  }
  // Asking for somebody to go or to come: another reader, or the reporter, must agree.
  function changes() {
    const { fold } = now.opened;
    const away = new Set(fold.out.map((one) => one.id));
    const go = [...fold.readers.keys()].filter((id) => id !== here.desk.name).map((id) =>
      sure(t("case.exclude", { name: nameOf(id) }), t("case.exclude_sure", { name: nameOf(id) }), async () => { if (await Acts.ask(now, Acts.without(fold, id))) await again(); }));
    const come = here.chain.newest.readers.filter((one) => !fold.readers.has(one.id) && !away.has(one.id) && !fold.wished.has(one.id)).map((one) =>
      sure(t("case.include", { name: one.name }), t("case.include_sure", { name: one.name }), async () => { if (await Acts.ask(now, [...fold.readers.values(), Fold.keysOf(one)])) await again(); }));
    return [...go, ...come];
  }
  async function stepOut() {
    if (!now.first && !(await Acts.write(now, "leave", { text: "" }))) return;
    const answer = await send(`/cases/case/${now.file.case}/out`, {});
    if (!answer.ok) return warn(t("case.last"));
    Memory.forget(now.file.case);
    await Memory.keep(here.desk.name, here.keys);
    await Board.showInbox();
  }
  function sure(label, sentence, act) {
    return make("details", {}, make("summary", { textContent: label }), make("p", { textContent: sentence }), button(label, () => act().catch(() => warn(t("case.failed"))), "danger"));
  }

  // --- writing ---
  function writing() {
    const { state } = now.state;
    const kinds = ["message", "question", "forward"];
    if (state === "received") kinds.unshift("acknowledge");
    if (["received", "acknowledged"].includes(state)) kinds.push("outcome");
    if (state === "contested" && here.desk.outside) kinds.push("final");
    const kind = make("select", { id: "kind" }, ...kinds.map((name) => make("option", { value: name, textContent: t(`case.kind_${name}`) })));
    const text = make("textarea", { id: "answer", rows: 7, maxLength: 30000 });
    const unsent = here.unsent.get(now.file.case);
    if (unsent) {
      text.value = unsent.text;
      if (kinds.includes(unsent.kind)) kind.value = unsent.kind;
    }
    for (const field of [kind, text]) field.addEventListener("input", () => here.unsent.set(now.file.case, { kind: kind.value, text: text.value }));
    const attached = make("input", { type: "file", id: "attach" });
    const go = button(t("case.send"), () => writeWith(kind.value, text.value.trim(), attached.files[0]).catch(() => warn(t("case.failed"))), "go");
    go.id = "send";
    return [make("h2", { textContent: t("case.write") }), make("label", { htmlFor: "kind", textContent: t("case.kind") }), kind,
      make("label", { htmlFor: "answer", textContent: t("case.text") }), make("p", { className: "quiet", textContent: t("case.text_hint") }), text,
      make("label", { htmlFor: "attach", textContent: t("case.attach") }), attached, go];
  }
  async function writeWith(chosen, text, file) {
    if (!text) return warn(t("case.empty"));
    if (["outcome", "final"].includes(chosen) && text.length < 40) return warn(t("case.reasons"));
    const content = { text };
    if (file) {
      const made = await P.sealFile(file.name, file.type === "image/jpeg" ? file.type : "application/octet-stream", new Uint8Array(await file.arrayBuffer()));
      for (let start = 0, n = 0; start < made.sealed.length; start += PIECE, n += 1) {
        const kept = await call(`/cases/piece/${made.entry.upload}/${n}`, undefined, { method: "PUT", body: made.sealed.subarray(start, start + PIECE), headers: { "X-Form": here.desk.form } });
        if (!kept.ok) return Acts.refused(kept.status);
      }
      content.files = [made.entry];
    }
    const extra = { move: ["acknowledge", "outcome", "final"].includes(chosen) ? chosen : "", uploads: (content.files || []).map((entry) => entry.upload) };
    const fine = now.first ? await writeFirst("thread", chosen, content, extra) : await Acts.write(now, chosen, content, {}, extra);
    if (!fine) return;
    here.unsent.delete(now.file.case);
    await again();
  }
  async function writeFirst(stream, chosen, content, extra) {
    const { file, opened } = now;
    const to = opened.recipients[stream];
    if (!to) return warn(t("case.old_form"));
    const place = P.nextPlace(file.case, stream, opened.streams[stream] || []);
    const ring = here.old.length ? here.old[here.old.length - 1].fingerprint : "";
    const signed = P.write(place, Acts.me(), chosen === "final" ? "outcome" : chosen, here.desk.day, ring, content);
    const answer = await send(`/cases/case/${file.case}/write`, { stream, number: place.number, sealed: P.base64(await P.seal(signed, to.recipient)), ...extra });
    if (!answer.ok) Acts.refused(answer.status);
    return answer.ok;
  }
  async function addNote(kind, content) {
    if (!content.text) return warn(t("case.empty"));
    if (now.first ? await writeFirst("notes", kind, content, { move: "", uploads: [] }) : await Acts.note(now, kind, content)) await again();
  }
  function notesBox() {
    const { notes } = now;
    const triage = make("select", { id: "triage" }, make("option", { value: "", textContent: t("case.triage_none") }), ...["whistleblowing", "harassment", "both", "neither"].map((name) => make("option", { value: name, textContent: t(`triage.${name}`) })));
    const text = make("textarea", { id: "note", rows: 3 });
    const last = notes.filter((one) => one.kind === "triage").slice(-1)[0];
    const go = button(t("case.note_add"), () => addNote(triage.value ? "triage" : "note", triage.value ? { text: text.value.trim() || t(`triage.${triage.value}`), triage: triage.value } : { text: text.value.trim() }).catch(() => warn(t("case.failed"))));
    const broken = !now.first && now.opened.notesProblem;
    return make("section", { className: "card" }, make("h2", { textContent: t("case.notes") }), make("p", { className: "quiet", textContent: t("case.notes_note") }),
      ...(broken ? [make("p", { className: "bad", textContent: wrong(broken) })] : []),
      ...(!now.first && now.opened.missingNote ? [make("p", { className: "care", textContent: t("case.note_missing", { name: nameOf(now.opened.missingNote) }) })] : []),
      ...(!now.first && now.opened.notesVoid ? [make("p", { className: "care", textContent: t("case.notes_void", { n: now.opened.notesVoid }) })] : []),
      make("p", {}, make("b", { textContent: last ? t(`triage.${last.content.triage}`) : t("case.triage_none") })),
      ...notes.filter((one) => one.content.text).map((one) => make("p", { className: "letter", textContent: `${nameOf(one.from)} · ${day(one.day)}${one.late ? ` · ${t("case.note_late", { name: nameOf(one.late) })}` : ""}\n${one.content.text}` })),
      ...(now.problem || broken ? [] : [make("label", { htmlFor: "triage", textContent: t("case.triage") }), triage, make("p", { className: "quiet", textContent: t("case.triage_note") }),
        make("label", { htmlFor: "note", textContent: t("case.note") }), text, go]));
  }
  function closing() {
    return make("section", { className: "card" }, make("h2", { textContent: t("case.care") }), make("ul", {}, ...["identity", "meeting", "accused", "crime", "retaliation"].map((name) => make("li", { textContent: t(`care.${name}`) }))));
  }

  // What is not needed may be taken out: one asks with the words that shall stand there, another does it.
  function redaction(one) {
    const text = make("textarea", { rows: 4, value: one.content.text });
    return make("details", {}, make("summary", { textContent: t("case.redact") }), make("p", { className: "quiet", textContent: t("case.redact_note") }), text,
      button(t("case.redact_save"), async () => { if (await Acts.askRedaction(now, one.whole, text.value.trim())) await again(); }));
  }

  async function exportCase() {
    const { file } = now;
    const files = {};
    for (const upload of file.uploads) {
      const answer = await call(`/cases/case/${file.case}/file/${upload}`);
      if (answer.ok) files[upload] = P.base64(new Uint8Array(await answer.arrayBuffer()));
    }
    const content = { v: 2, handler: here.desk.name, salt: here.desk.salt, bundle: here.desk.bundle, lists: here.desk.lists, file, files };
    const link = make("a", { href: URL.createObjectURL(new Blob([JSON.stringify(content)], { type: "application/json" })), download: `case-${number(file.case)}.json` });
    link.click();
    URL.revokeObjectURL(link.href);
  }
  return { open };
})();
Board.start();
