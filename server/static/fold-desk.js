// What only handlers write of version 2: notes, changes of keys, redactions, and what they owe by when. Beside fold.js, for the desk.
"use strict";
const FoldDesk = (() => {
  const P = Protocol;
  const { NONE, canonical, parse } = Signed;
  const { hash } = P;
  const { write, seal, makeWrap, makeRecovery, encoded, padded, keysOf, isOn, placeAfter, dates, addDays, addMonths } = Fold;
  const emptied = (plain) => canonical({ head: parse(plain).head, salt: "", content: "" });
  const makeLink = (epoch, identity, to) => P.encrypt(padded(canonical({ v: 2, epoch, identity }), 1024), to);
  const redactPayload = (number, content, text, files) => canonical({ number, content, text: hash(text), files });
  // What handlers owe, the nearest first; and how many reminders have passed without an outcome.
  function duties(fold, today) {
    const by = dates(fold, today, { years: 1, longer: [] });
    const found = [];
    if (fold.state === "received") found.push({ what: "acknowledge", by: by.acknowledge });
    if (fold.state === "received" || fold.state === "acknowledged") found.push({ what: "outcome", by: by.outcome });
    if (fold.state === "contested") found.push({ what: "second_look", by: by.second });
    for (const months of [1, 3, 6, 12]) if (today <= addMonths(fold.received, months)) found.push({ what: "retaliation", by: addMonths(fold.received, months) });
    return found.sort((a, b) => (a.by < b.by ? -1 : 1)).map((duty) => ({ ...duty, late: today > duty.by }));
  }
  function pressing(fold, today) {
    if (fold.state !== "received" && fold.state !== "acknowledged") return 0;
    const start = fold.acknowledged || addDays(fold.received, 7);
    return [60, 75, 85].filter((n) => addDays(start, n) <= today).length;
  }

  async function note(opened, ring, author, kind, day, content) {
    const { fold, notes } = opened;
    const epochs = [];
    let [to, number] = [opened.notesTo, opened.notesEpoch];
    if (!number) {
      const made = P.newIdentity();
      [to, number] = [made.recipient, 1];
      const key = { start: fold.start, stream: "notes", number: 1, identity: made.identity, recipient: to, act: fold.start };
      const wraps = {};
      for (const one of fold.readers.values()) wraps[one.id] = makeWrap(key, author, one.id, one.recipient);
      epochs.push({ stream: "notes", number: 1, wraps: await encoded(wraps), link: "" });
    }
    const [start, before] = notes.length ? [notes[0].hash, notes[notes.length - 1].hash] : [NONE, NONE];
    const place = { ...placeAfter(fold, ring), stream: "notes", start, number: opened.notesRows + 1, before, epoch: number, to, thread: fold.head };
    const made = write(place, author, kind, day, content, P.random(32));
    return { stream: "notes", number: place.number, epoch: number, sealed: P.base64(await seal(made.plain, to)), epochs };
  }
  async function newKeys(opened, ring, author, day, readers, recovery, asked, text = "") {
    const { fold } = opened;
    const number = Math.max(fold.highest, opened.newest) + 1;
    const made = P.newIdentity();
    const forNotes = P.newIdentity(); // even where no notes are seen: they might be hidden just now
    const ordered = readers.map(keysOf).sort((a, b) => (a.id < b.id ? -1 : 1));
    const place = placeAfter(fold, ring);
    const last = opened.notes[opened.notes.length - 1];
    const noted = last ? last.hash : opened.notesProblem ? "" : NONE; // what comes under the keys before later, I did not see
    const terms = { epoch: number, recipient: made.recipient, notes: forNotes.recipient, readers: ordered, recovery, asked, noted };
    const act = write(place, author, "change", day, { text }, P.random(32), terms);
    const key = { start: fold.start, stream: "thread", number, identity: made.identity, recipient: made.recipient, act: act.hash };
    const wraps = await makeRecovery(key, author, recovery);
    for (const one of ordered) wraps[one.id] = makeWrap(key, author, one.id, one.recipient);
    wraps.reporter = makeWrap(key, author, "reporter", fold.reader);
    const epochs = [{ stream: "thread", number, wraps: await encoded(wraps), link: P.base64(await makeLink(fold.epoch, opened.keys.thread.get(fold.epoch), made.recipient)) }];
    const noteKey = { ...key, stream: "notes", identity: forNotes.identity, recipient: forNotes.recipient };
    const noteWraps = {};
    for (const one of ordered) noteWraps[one.id] = makeWrap(noteKey, author, one.id, one.recipient);
    const before = opened.keys.notes && opened.keys.notes.get(opened.notesEpoch);
    epochs.push({ stream: "notes", number, wraps: await encoded(noteWraps), link: before ? P.base64(await makeLink(opened.notesEpoch, before, forNotes.recipient)) : "" });
    return { stream: "thread", number: place.number, epoch: fold.epoch, sealed: P.base64(await seal(act.plain, fold.to)), epochs, notes: opened.notesRows };
  }
  // Who should read by now without a second hand: those who read, with their newest keys, less who left, was wished out, or is off the list.
  function wantedReaders(fold, chain) {
    const kept = [];
    for (const [id, one] of fold.readers) {
      const found = chain.newest.reader(id);
      if (found && !fold.left.has(id) && !fold.wished.has(id)) kept.push(isOn(chain.newest, one) ? one : keysOf(found));
    }
    return kept.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  return { emptied, redactPayload, duties, pressing, note, newKeys, wantedReaders };
})();
