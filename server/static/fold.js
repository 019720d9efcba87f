// Letters of version 2 and what follows from them: who reads, who may write, which key, which state. The same as surveys/cases
// (letters, wraps, fold, opening). What a server says beside the letters is not believed.
"use strict";
const Fold = (() => {
  const P = Protocol;
  const { NONE, no, alike, canonical, mended, parse, is, shaped, sign, read, different } = Signed;
  const { CannotOpen, utf8, unhex, hex, hash } = P;
  const S = Sealing;
  const HASH = is.hex(32);
  const ASKED = is.either(HASH, is.one(""));
  const READER = is.object({ id: is.id, recipient: is.recipient, signer: HASH });
  const OUT = is.object({ id: is.id, recipient: is.recipient, signer: HASH, name: is.named(1, 120) });
  const SEAT = is.object({ seat: is.one("a", "b", "c"), recipient: is.recipient });
  const TERMS = new Map(Object.entries({
    report: { signer: HASH, reader: is.recipient, readers: is.list(READER, 1, 6), out: is.list(OUT, 0, 6), recovery: is.list(SEAT, 0, 3) },
    change: { epoch: is.whole(2, 1000), recipient: is.recipient, notes: is.either(is.recipient, is.one("")), readers: is.list(READER, 1, 6), recovery: is.list(SEAT, 0, 3), asked: ASKED, noted: ASKED },
    ask: { what: is.one("change", "redact", "lift"), payload: HASH },
    allow: { ask: HASH },
    wish: { out: is.list(is.id, 1, 6) },
    redact: { number: is.whole(1, 10000), content: HASH, text: HASH, files: is.list(is.hex(16), 0, 5), asked: ASKED },
    broken: { change: HASH },
    fails: { change: HASH },
    lift: { asked: ASKED },
  }));
  const KINDS = new Map(Object.entries({
    "thread reporter": ["report", "message", "meeting", "consent", "contest", "retaliation", "allow", "wish", "change", "fails"],
    "thread handler": ["acknowledge", "message", "question", "forward", "outcome", "final", "change", "ask", "redact", "leave", "broken", "fails"],
  }));
  const BY_TWO_SINCE = "2026-12-01"; // surveys/cases/fold.py
  const NOTES = ["note", "triage", "hold", "lift"];
  const HEAD = {
    v: is.one(2), house: HASH, case: is.hex(8), start: HASH, stream: is.one("thread", "notes", "diary"), number: is.whole(1, 10000), before: HASH,
    epoch: is.whole(1, 1000), to: is.recipient, thread: HASH, from: is.either(is.one("reporter"), is.id), kind: is.text(1, 20), day: is.day,
    ring: is.object({ number: is.whole(0, 10000), hash: HASH }), content: HASH, terms: (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  };
  const FILE = is.object({ upload: is.hex(16), name: is.text(1, 255), type: is.text(1, 100), size: is.whole(0, 2 ** 26), identity: is.identity, sha256: HASH });
  const CONTENT = {
    text: is.text(0, 60000), what: is.text(1, 40), where: is.text(1, 2000), when: is.text(1, 2000), who: is.text(1, 2000), danger: is.text(1, 10),
    wish: is.list(is.text(1, 40), 1, 10), consent: is.flag, files: is.list(FILE, 1, 5), diary: is.list(is.object({ day: is.day, text: is.text(0, 60000) }), 1, 60),
    triage: is.text(1, 40), payload: is.text(2, 8000),
  };
  const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const MOST_BYTES = 120 * 1024; // surveys/cases/letters.py
  // Whether a content can be read again by whoever gets it, and its letter is one that the server takes.
  const fits = (content) => Object.keys(content).every((name) => own(CONTENT, name) && CONTENT[name](content[name])) && utf8(JSON.stringify(canonical(content))).length <= MOST_BYTES;

  // What a letter of version 1 holds of a content, each field of its form (surveys/cases/letters.py).
  function firstContent(body) {
    const found = {}, content = mended(Object.fromEntries(Object.keys(CONTENT).filter((name) => own(body, name)).map((name) => [name, body[name]])));
    for (const name of Object.keys(content)) if (name !== "files" && CONTENT[name](content[name])) found[name] = content[name];
    const files = Array.isArray(content.files) ? content.files.filter(FILE) : [];
    return files.length ? { ...found, files } : found;
  }

  // --- letters ---
  const contentHash = (salt, content) => hex(S.sha256(new Uint8Array([...salt, ...utf8(content)])));
  function write(place, author, kind, day, content, salt, terms = {}) {
    const body = canonical(mended(content));
    const head = canonical({ v: 2, ...place, from: author.name, kind, day, content: contentHash(salt, body), terms });
    const text = sign(JSON.parse(head), "letter", author.seed);
    return { plain: canonical({ head: text, salt: hex(salt), content: body }), hash: hash(head) };
  }
  const seal = (plain, to) => P.seal(plain, to);
  // Without the filling at its end: one look from behind, however many spaces somebody put inside.
  function unfilled(bytes) {
    let end = bytes.length;
    while (end && bytes[end - 1] === 32) end -= 1;
    return P.text(bytes.subarray(0, end));
  }
  async function plainOf(sealed, identity) {
    try {
      return unfilled(await P.decryptOurs(sealed, identity));
    } catch (problem) {
      return no("place");
    }
  }
  function readLetter(plain) {
    const outer = shaped(parse(plain), { head: is.text(1, 2 ** 16), salt: is.either(HASH, is.one("")), content: is.text(0, 2 ** 20) });
    const head = read(outer.head, "letter");
    shaped(head.body, HEAD);
    const { noted, ...terms } = TERMS.get(head.body.kind) || {};
    shaped(head.body.terms, noted && own(head.body.terms, "noted") ? { ...terms, noted } : terms); // older changes say nothing of notes
    const letter = { head: head.body, key: head.key, hash: head.hash, content: null, plain };
    if (!outer.salt) return outer.content ? no("letter_forged") : letter;
    if (contentHash(unhex(outer.salt), outer.content) !== head.body.content) no("letter_forged");
    const content = parse(outer.content);
    const names = content && typeof content === "object" && !Array.isArray(content) ? Object.keys(content) : [];
    if (!names.includes("text") || !names.every((name) => own(CONTENT, name) && CONTENT[name](content[name]))) no("letter_forged");
    return { ...letter, content };
  }
  function recipientOf(identity) {
    try {
      const { prefix, bytes } = S.bech32.decodeToBytes(identity);
      if (prefix.toLowerCase() !== "age-secret-key-" || bytes.length !== 32) no("key_other");
      return P.recipientOf(bytes);
    } catch (problem) {
      return no("key_other");
    }
  }
  const caseOf = (signer, reader) => (BigInt(`0x${hash(signer + reader).slice(0, 16)}`) >> 1n).toString(16).padStart(16, "0");

  // --- wraps and links ---
  const WRAP = {
    v: is.one(2), start: HASH, stream: is.one("thread", "notes"), epoch: is.whole(1, 1000), recipient: is.recipient, identity: is.identity,
    to: is.object({ id: is.either(is.one("reporter", "recovery"), is.id), recipient: is.recipient }), act: HASH, by: is.either(is.one("reporter"), is.id),
  };
  const padded = (text, size) => { const whole = new Uint8Array(size).fill(32); whole.set(utf8(text)); return whole; };
  const wrapText = (key, author, id, to) => sign({ v: 2, start: key.start, stream: key.stream, epoch: key.number, recipient: key.recipient, identity: key.identity, to: { id, recipient: to }, act: key.act, by: author.name }, "wrap", author.seed);
  const makeWrap = (key, author, id, to) => P.encrypt(padded(wrapText(key, author, id, to), 2048), to);
  async function makeRecovery(key, author, holders) {
    const made = {};
    for (const [a, b] of holders.length ? [[0, 1], [0, 2], [1, 2]] : []) {
      const inner = await P.encrypt(padded(wrapText(key, author, "recovery", holders[b].recipient), 1848), holders[b].recipient);
      made[`recovery+${holders[a].seat}${holders[b].seat}`] = await P.encrypt(inner, holders[a].recipient);
    }
    return made;
  }
  async function openWrap(sealed, identity, id, stream, number) {
    let found;
    try {
      found = read(unfilled(await P.decryptOurs(sealed, identity)), "wrap");
      shaped(found.body, WRAP);
    } catch (problem) {
      return no("wrap_not_mine");
    }
    const { body, key } = found;
    if (body.to.id !== id || body.to.recipient !== recipientOf(identity) || body.stream !== stream || body.epoch !== number) no("wrap_not_mine");
    if (recipientOf(body.identity) !== body.recipient) no("key_other");
    return { ...body, key };
  }
  async function openLink(sealed, identity) {
    try {
      const body = shaped(parse(unfilled(await P.decryptOurs(sealed, identity))), { v: is.one(2), epoch: is.whole(1, 1000), identity: is.identity });
      recipientOf(body.identity);
      return body;
    } catch (problem) {
      return no("epoch_broken");
    }
  }

  // --- the fold ---
  const recoveryOf = (ring) => ring.recovery.map(({ seat, recipient }) => ({ seat, recipient }));
  const same = (one, other) => canonical(one) === canonical(other);
  const keysOf = ({ id, recipient, signer }) => ({ id, recipient, signer });
  const isOn = (ring, one) => { const found = ring.reader(one.id); return Boolean(found) && same(keysOf(found), keysOf(one)); };
  function ringOf(fold, head, chain) {
    const ring = chain && chain.numbered(head.ring.number);
    if (!ring) no("ring_old");
    if (ring.hash !== head.ring.hash || head.ring.number < fold.ring.number) no("ring_broken");
    return ring;
  }
  function notOut(fold, one, ring) {
    const found = ring.reader(one.id);
    const name = found ? alike(found.name) : null;
    for (const kept of fold.out) if (one.id === kept.id || one.recipient === kept.recipient || one.signer === kept.signer || name === alike(kept.name)) no("out_returns");
    if (fold.wished.has(one.id)) no("out_returns");
  }
  const allDifferent = (readers) => ["id", "recipient", "signer"].every((what) => different(readers.map((one) => one[what]))) || no("reader_foreign");
  const warnOlder = (ring, day, chain) => chain.rings.some((newer) => newer.number > ring.number && newer.day < day);
  function stands(fold, letter) {
    fold.count += 1;
    fold.head = letter.hash;
    fold.heads.push(letter.hash);
    if (letter.head.day > fold.latest) fold.latest = letter.head.day;
    fold.ring = letter.head.ring;
  }
  function begin(letter, house, chain) {
    const { head } = letter;
    const { terms } = head;
    if (head.house !== house) no("house_other");
    if (head.kind !== "report" || head.from !== "reporter" || letter.key !== terms.signer || head.case !== caseOf(terms.signer, terms.reader)) no("letter_forged");
    if (head.stream !== "thread" || head.number !== 1 || head.before !== NONE || head.start !== NONE || head.epoch !== 1 || head.thread !== NONE) no("place");
    const fold = {
      house, case: head.case, start: letter.hash, head: NONE, count: 0, epoch: 1, highest: 1, to: head.to, madeBy: "reporter", act: letter.hash,
      signer: terms.signer, reader: terms.reader, readers: new Map(), recovery: terms.recovery, out: terms.out, ring: { number: 0, hash: NONE }, asks: new Map(),
      used: new Set(), left: new Set(), wished: new Set(), redacted: new Map(), notes: new Map(), heads: [], received: head.day, acknowledged: "", outcome: "", state: "received",
      contested: false, void: new Set(), voidEpochs: new Set(), warnings: [], undo: new Map(), claims: new Map(), latest: "",
    };
    const ring = ringOf(fold, head, chain);
    allDifferent(terms.readers);
    for (const one of terms.readers) {
      if (!isOn(ring, one)) no("reader_foreign");
      notOut(fold, one, ring);
    }
    if (terms.recovery.length && !same(terms.recovery, recoveryOf(ring))) no("reader_foreign");
    fold.readers = new Map(terms.readers.map((one) => [one.id, one]));
    if (warnOlder(ring, head.day, chain)) fold.warnings.push("older_list");
    stands(fold, letter);
    return fold;
  }
  function step(fold, letter, chain) {
    const { head } = letter;
    const { kind, from, terms } = head;
    if (head.house !== fold.house) no("house_other");
    const goes = kind === "broken" || kind === "fails";
    const back = goes ? fold.undo.get(terms.change) : undefined;
    const stood = back || fold;
    if (head.case !== fold.case || head.stream !== "thread" || head.start !== fold.start || head.number !== fold.count + 1 || head.thread !== NONE) no("place");
    if (head.epoch !== stood.epoch || head.to !== stood.to) no("place");
    if (head.before !== (back ? terms.change : fold.head)) no(goes ? "place" : "fork");
    const mine = from === "reporter";
    if (!wrote(stood, letter)) no(mine ? "letter_forged" : "author_unknown");
    if (kind === "report" || !KINDS.get(`thread ${mine ? "reporter" : "handler"}`).includes(kind)) no("author_unknown");
    const ring = ringOf(fold, head, chain);
    if (kind === "fails") claim(fold, back, letter);
    else if (kind === "broken") alone(fold, back, letter);
    else if (kind === "change") change(fold, letter, ring, chain);
    else if (kind === "ask") fold.asks.set(letter.hash, { by: from, what: terms.what, payload: terms.payload, allowed: false });
    else if (kind === "allow") { if (fold.asks.has(terms.ask)) fold.asks.get(terms.ask).allowed = true; }
    else if (kind === "leave") fold.left.add(from);
    else if (kind === "wish") for (const id of terms.out) fold.wished.add(id);
    else if (kind === "redact") redact(fold, letter);
    else move(fold, letter, ring);
    if (kind !== "fails") for (const claims of fold.claims.values()) claims.by.delete(from);
    stands(fold, letter);
  }
  function enough(fold, readers, ring) {
    const outside = new Set(ring.readers.filter((one) => one.outside).map((one) => one.id));
    const inside = readers.filter((one) => !outside.has(one.id));
    if (readers.length < fold.readers.size && inside.length < 2 && (!inside.length || inside.length === readers.length)) no("expel_refused");
  }
  // Who comes in and who goes by a change, so far as one reader may not do it alone.
  function needsTwo(fold, readers, rings, author) {
    const after = new Set(readers.map((one) => one.id));
    const gains = readers.filter((one) => !fold.readers.has(one.id));
    const leaves = [...fold.readers.keys()].filter((id) => !after.has(id) && !fold.left.has(id) && !fold.wished.has(id) && rings.some((ring) => ring.reader(id)));
    return { gains, leaves: author === "reporter" ? [] : leaves };
  }
  const changePayload = (gains, leaves, recovery = []) => canonical({ gains: [...gains].sort((a, b) => (a.id < b.id ? -1 : 1)), leaves: [...leaves].sort(), recovery });
  // Whether a change that is asked for would be done now exactly as it is said, and stand: what each fold will ask of it.
  function canBeDone(fold, ring, { gains, leaves, recovery }) {
    const after = [...fold.readers.values()].filter((one) => !leaves.includes(one.id)).concat(gains);
    const needed = needsTwo(fold, after, [ring], "");
    if (new Set(after.map((one) => one.id)).size !== after.length || (recovery.length && same(recovery, fold.recovery))) return false;
    if (changePayload(needed.gains, needed.leaves, recovery) !== changePayload(gains, leaves, recovery)) return false;
    try {
      for (const one of gains) notOut(fold, one, ring);
      if (leaves.length) enough(fold, after, ring);
      return after.length > 0 && gains.every((one) => isOn(ring, one)) && (!recovery.length || same(recovery, recoveryOf(ring)));
    } catch (failed) {
      return false;
    }
  }
  const ASKED_FOR = {
    change: { gains: is.list(READER, 0, 6), leaves: is.list(is.id, 0, 6), recovery: is.list(SEAT, 0, 3) },
    redact: { number: is.whole(1, 10000), content: HASH, text: HASH, files: is.list(is.hex(16), 0, 5) },
  };
  // What an ask would do, or nothing where it is not written as the act itself will be.
  function readAsk(what, text) {
    try {
      const wanted = shaped(parse(text), ASKED_FOR[what]);
      return what !== "change" || changePayload(wanted.gains, wanted.leaves, wanted.recovery) === text ? wanted : null;
    } catch (problem) {
      return null;
    }
  }
  function byTwo(fold, author, asked, what, payload, refused) {
    const ask = fold.asks.get(asked);
    if (!ask || fold.used.has(asked) || ask.what !== what || ask.payload !== payload) no(refused);
    if (!ask.allowed && (ask.by === author || !fold.readers.has(ask.by))) no(refused);
    fold.used.add(asked);
  }
  function change(fold, letter, ring, chain) {
    const { terms, from, day, number } = letter.head;
    const { readers, recovery } = terms;
    if (terms.epoch <= fold.highest || terms.epoch > number + 1 || terms.recipient === fold.to) no("place");
    allDifferent(readers);
    const rings = [ring, ...chain.rings.filter((one) => one.number >= ring.number && one.day <= day)];
    for (const one of readers) {
      if (fold.readers.has(one.id) && same(fold.readers.get(one.id), one)) continue;
      notOut(fold, one, ring);
      if (!rings.every((each) => isOn(each, one))) no("gain_refused");
    }
    const { gains, leaves } = needsTwo(fold, readers, rings, from);
    const other = recovery.length > 0 && !same(recovery, fold.recovery);
    if (other && !same(recovery, recoveryOf(ring))) no("gain_refused");
    if ((gains.length || leaves.length || other) && from !== "reporter") {
      byTwo(fold, from, terms.asked, "change", hash(changePayload(gains, leaves, other ? recovery : [])), gains.length || other ? "gain_refused" : "expel_refused");
    }
    if (from !== "reporter" && !readers.some((one) => one.id === from)) no("expel_refused");
    if (leaves.length) enough(fold, readers, ring);
    fold.undo.set(letter.hash, copied(fold));
    fold.epoch = fold.highest = terms.epoch;
    fold.to = terms.recipient;
    fold.act = letter.hash;
    fold.madeBy = from;
    fold.readers = new Map(readers.map((one) => [one.id, one]));
    fold.recovery = recovery;
    fold.left = new Set([...fold.left].filter((id) => fold.readers.has(id)));
    for (const claims of fold.claims.values()) if (claims.maker !== from) claims.by.clear();
    fold.claims.set(letter.hash, { maker: from, by: new Set() });
    if (terms.notes) fold.notes.set(fold.epoch, { to: terms.notes, act: letter.hash });
  }
  function redact(fold, letter) {
    const { terms, from, number } = letter.head;
    if (terms.number > fold.count) no("place");
    const payload = canonical({ number: terms.number, content: terms.content, text: terms.text, files: terms.files });
    byTwo(fold, from, terms.asked, "redact", hash(payload), "redaction_alone");
    fold.redacted.set(terms.number, { content: terms.content, act: number, by: from });
  }
  function copied(fold) {
    const copy = { ...fold, asks: new Map([...fold.asks].map(([name, ask]) => [name, { ...ask }])), heads: [...fold.heads] };
    copy.claims = new Map([...fold.claims].map(([name, { maker, by }]) => [name, { maker, by: new Set(by) }]));
    for (const name of ["readers", "redacted", "notes", "undo"]) copy[name] = new Map(fold[name]);
    for (const name of ["used", "left", "wished", "void", "voidEpochs"]) copy[name] = new Set(fold[name]);
    return copy;
  }
  // Going back gives the key before to nobody whom the change took it from: not to who went, not to keys that were renewed.
  const losesNobody = (back, fold) => [...back.readers.values()].every((one) => fold.readers.has(one.id) && same(one, fold.readers.get(one.id))) && (!back.recovery.length || same(back.recovery, fold.recovery));
  function wrote(fold, { head, key }) {
    const author = fold.readers.get(head.from);
    return key === (head.from === "reporter" ? fold.signer : author && author.signer);
  }
  const mayClaim = (back, fold, id) => id === "reporter" || (back.readers.has(id) && fold.readers.has(id) && same(back.readers.get(id), fold.readers.get(id)));
  function claim(fold, back, { head: { terms, from } }) {
    if (!back || !mayClaim(back, fold, from)) no("epoch_broken");
    fold.claims.get(terms.change).by.add(from);
  }
  function alone(fold, back, { head: { terms, from, day } }) {
    if (!back || terms.change !== fold.act || !fold.readers.has(from) || !back.readers.has(from)) no("epoch_broken");
    if (fold.latest >= BY_TWO_SINCE || day >= BY_TWO_SINCE || !losesNobody(back, fold)) no("epoch_broken");
    goBack(fold, back);
  }
  function goBack(fold, back) {
    for (let number = back.count + 1; number <= fold.count; number += 1) fold.void.add(number);
    for (let number = back.highest + 1; number <= fold.highest; number += 1) fold.voidEpochs.add(number);
    const kept = copied(back);
    for (const name of ["epoch", "to", "act", "madeBy", "readers", "recovery", "asks", "left", "wished", "redacted", "notes", "used", "acknowledged", "outcome", "state", "contested"]) fold[name] = kept[name];
    [fold.undo, fold.claims] = [new Map(), new Map()];
  }
  function move(fold, letter, ring) {
    const { kind, day, from } = letter.head;
    const reader = ring.reader(from);
    if ((kind === "acknowledge" || kind === "outcome") && !fold.acknowledged) {
      fold.acknowledged = day;
      if (fold.state === "received") fold.state = "acknowledged";
    }
    if (kind === "outcome" && fold.state === "acknowledged") [fold.state, fold.outcome] = ["outcome", day];
    else if (kind === "contest" && fold.state === "outcome" && !fold.contested) [fold.state, fold.contested] = ["contested", true];
    else if (kind === "final" && fold.state === "contested" && reader && reader.outside) [fold.state, fold.outcome] = ["final", day];
  }

  // --- opening: backwards by the newest wrap that is mine, forwards from the first letter ---
  function rowsOf(file, stream) {
    const rows = file.messages.filter((row) => row.stream === stream).sort((a, b) => a.number - b.number);
    if (rows.some((row, place) => row.number !== place + 1)) no("place");
    return rows;
  }
  // The private halves that I have of a stream's epochs: from every wrap that opens, down every link. Which is the right one,
  // the letters say by the epoch's recipient. `cut`: a link of a right half that leads nowhere; older wraps are still needed.
  async function halvesOf(file, me, stream) {
    const rows = new Map(file.epochs.filter((row) => row.stream === stream).map((row) => [row.number, row]));
    const halves = new Map();
    const add = (number, identity) => halves.set(number, (halves.get(number) || new Map()).set(recipientOf(identity), identity));
    let [failed, opened, cut] = ["", false, false];
    if (me.first[stream]) add(1, me.first[stream]);
    for (const number of [...rows.keys()].sort((a, b) => b - a)) {
      const row = rows.get(number);
      if (row.wrap) {
        try {
          add(number, (await openWrap(P.unbase64(row.wrap), me.identity, me.name, stream, number)).identity);
          opened = true;
        } catch (problem) {
          failed = failed || (opened ? "" : problem instanceof CannotOpen ? problem.message : "wrap_not_mine");
        }
      }
      for (const identity of (halves.get(number) || new Map()).values()) {
        try {
          const { epoch, identity: older } = await openLink(P.unbase64(row.link), identity);
          if (epoch < number) add(epoch, older);
        } catch (problem) {
          if (number > 1) cut = true;
        }
      }
    }
    return { has: (epoch) => halves.has(epoch), of: (epoch, to) => halves.has(epoch) && halves.get(epoch).get(to), all: (epoch) => halves.get(epoch) || new Map(), size: halves.size, failed, cut };
  }
  // A letter, and the half that opened it: that of its epoch's recipient, or whichever does where that is not known yet.
  async function readRow(row, keys, to = "") {
    const found = keys.all(row.epoch);
    const tried = to ? (found.has(to) ? [[to, found.get(to)]] : []) : [...found];
    if (!tried.length) no("epoch_broken");
    for (const [recipient, identity] of tried) {
      let plain;
      try {
        plain = await plainOf(P.unbase64(row.sealed), identity);
      } catch (problem) {
        continue;
      }
      const letter = readLetter(plain);
      if (letter.head.epoch !== row.epoch || letter.head.to !== recipient) no("place");
      return { letter, identity };
    }
    return no("place");
  }
  // me: {name, identity, first: {thread, diary}, signer, reader}; problem is the word of what is wrong from the last letter on.
  async function openCase(file, me, house, chain) {
    const opened = { fold: null, thread: [], notes: [], diary: [], keys: {}, problem: "", notesProblem: "", notesTo: "", notesEpoch: 0, notesRows: 0, notesVoid: 0, newest: 1, claimed: new Set(), lateNotes: new Map(), missingNote: "" };
    if (me.name === "reporter") await openDiary(file, me, house, opened);
    try {
      await openThread(file, me, house, chain, opened);
    } catch (problem) {
      if (!(problem instanceof CannotOpen) || !opened.diary.length) throw problem;
      opened.problem = problem.message; // her own diary stays readable: only she has its key
    }
    if (opened.fold && me.name !== "reporter") {
      try {
        await openNotes(file, me, opened);
      } catch (problem) {
        if (!(problem instanceof CannotOpen)) throw problem;
        opened.notesProblem = problem.message;
      }
    }
    return opened;
  }
  async function openThread(file, me, house, chain, opened) {
    const rows = rowsOf(file, "thread");
    if (!rows.length && me.name === "reporter") {
      // a diary says that it is one: where a thread was begun, its letters are hidden
      if (!opened.diary.length || file.epochs.some((row) => row.stream === "thread")) no("shorter");
      return;
    }
    const keys = await halvesOf(file, me, "thread");
    const right = new Map();
    opened.keys.thread = right;
    opened.cut = keys.cut;
    // each epoch but the first is brought by a letter: a row whose number is ahead of them is nobody's
    opened.newest = Math.max(1, ...file.epochs.filter((row) => row.stream === "thread" && row.number <= rows.length + 1).map((row) => row.number));
    if (!keys.size) no(keys.failed || "wrap_not_mine");
    for (const row of rows) {
      const { fold } = opened;
      try {
        const { letter, identity } = await readRow(row, keys, fold && row.epoch === fold.epoch ? fold.to : "");
        right.set(row.epoch, identity);
        if (fold) step(fold, letter, chain);
        else {
          opened.fold = begin(letter, house, chain);
          if (opened.fold.case !== file.case) { opened.fold = null; no("place"); }
          if (me.name === "reporter" && (opened.fold.signer !== me.signer || opened.fold.reader !== me.reader)) { opened.fold = null; no("letter_forged"); }
        }
        opened.thread.push(letter);
      } catch (failed) {
        if (!(failed instanceof CannotOpen)) throw failed;
        opened.problem = failed.message;
        if (await goesOn(row, rows, keys, me, opened)) continue;
        break;
      }
    }
    if (!opened.fold) no(opened.problem || "gone");
    for (const letter of opened.thread) {
      const done = opened.fold.redacted.get(letter.head.number);
      if (done && done.content !== letter.head.content) opened.problem = opened.problem || "letter_forged";
      if (!letter.content && !done) opened.problem = opened.problem || "redaction_alone";
    }
    opened.problem = opened.problem || checkKeys(file, opened.fold, me, keys, right);
  }
  async function goesOn(row, rows, keys, me, opened) {
    const { fold } = opened;
    if (opened.problem !== "epoch_broken" || !fold || row.number !== fold.count + 1) return false;
    for (const later of rows.slice(row.number)) {
      if (!keys.has(later.epoch) || later.epoch >= row.epoch) continue;
      let letter;
      try {
        ({ letter } = await readRow(later, keys));
      } catch (failed) {
        return false;
      }
      const { kind, from, terms } = letter.head;
      const back = fold.undo.get(terms.change);
      if (!back || !wrote(back, letter)) continue;
      if (kind === "fails" && mayClaim(back, fold, from)) opened.claimed.add(from);
      if (kind === "broken" && terms.change === fold.act && (await takenUp(letter, later, rows, keys, me, back))) {
        fold.count += 1;
        fold.void.add(row.number);
        opened.problem = "";
        return true;
      }
    }
    return false;
  }
  async function takenUp(act, row, rows, keys, me, back) {
    if (row.number >= rows.length) return false;
    try {
      const { letter } = await readRow(rows[row.number], keys);
      return letter.head.before === act.hash && letter.head.from !== act.head.from && letter.head.from !== me.name && wrote(back, letter);
    } catch (failed) {
      return false;
    }
  }
  function checkKeys(file, fold, me, keys, right) {
    const mine = keys.of(fold.epoch, fold.to);
    const reads = me.name === "reporter" || fold.readers.has(me.name);
    if (!mine) return keys.failed || reads ? "epoch_broken" : "gone";
    if (!reads) return "gone";
    right.set(fold.epoch, mine);
    const hidden = (row) => (row.at ? row.at > fold.count : row.number > fold.highest);
    return file.epochs.some((row) => row.stream === "thread" && row.number > fold.epoch && !fold.voidEpochs.has(row.number) && hidden(row)) ? "shorter" : "";
  }
  async function openDiary(file, me, house, opened) {
    let [before, start] = [NONE, NONE];
    const keys = await halvesOf(file, me, "diary");
    for (const row of rowsOf(file, "diary")) {
      const { letter } = await readRow(row, keys);
      const { head } = letter;
      if (head.house !== house || head.case !== file.case || head.stream !== "diary" || head.number !== row.number || head.before !== before || head.start !== start || head.epoch !== 1 || !letter.content) no("place");
      if (letter.key !== me.signer || head.from !== "reporter" || head.kind !== "diary") no("letter_forged");
      opened.diary.push(letter);
      before = letter.hash;
      start = opened.diary[0].hash;
    }
  }
  // Notes: the same rules as surveys/cases/opening.py, where they are explained.
  async function openNotes(file, me, opened) {
    const { fold, thread } = opened;
    const all = rowsOf(file, "notes");
    const rows = all.filter((row) => !fold.voidEpochs.has(row.epoch));
    [opened.notesRows, opened.notesVoid] = [all.length, all.length - rows.length];
    if (!rows.length && !fold.notes.size) return;
    const keys = await halvesOf(file, me, "notes");
    const right = new Map();
    [opened.keys.notes, opened.notesEpoch] = [right, Math.max(1, ...fold.notes.keys())];
    const places = new Map(thread.map((letter, place) => [letter.hash, place]));
    const inForce = (place) => Math.max(1, ...[...fold.notes].filter(([, made]) => places.get(made.act) <= place).map(([number]) => number));
    let [before, start, firstTo] = [NONE, NONE, ""];
    for (const row of rows) {
      const { letter, identity } = await readRow(row, keys, fold.notes.has(row.epoch) ? fold.notes.get(row.epoch).to : firstTo);
      right.set(row.epoch, identity);
      const { head } = letter;
      if (head.house !== fold.house || head.case !== fold.case || head.stream !== "notes" || head.number !== row.number || head.before !== before || head.start !== start || !places.has(head.thread)) no("place");
      if (head.epoch !== inForce(places.get(head.thread))) no("place");
      if (head.epoch === 1) firstTo = firstTo || head.to;
      if (head.to !== (head.epoch === 1 ? firstTo : fold.notes.get(head.epoch).to)) no("place");
      if (opened.notes.length && head.epoch < opened.notes[opened.notes.length - 1].head.epoch) no("place");
      const vouched = thread.some((one) => (one.head.terms.readers || []).some((reader) => reader.id === head.from && reader.signer === letter.key));
      if (!vouched) no("author_unknown");
      if (!NOTES.includes(head.kind) || !letter.content) no("letter_forged");
      opened.notes.push(letter);
      before = letter.hash;
      start = opened.notes[0].hash;
    }
    opened.notesTo = fold.notes.size ? fold.notes.get(opened.notesEpoch).to : firstTo;
    markLate(opened);
    const mine = opened.notesTo && keys.of(opened.notesEpoch, opened.notesTo);
    if (!mine || leftBehind(opened, places)) no(keys.failed || "epoch_broken");
    right.set(opened.notesEpoch, mine);
  }
  function leftBehind({ fold, thread, notes }, places) {
    if (!notes.length) return false;
    const since = Math.max(places.get(notes[0].head.thread), ...[...fold.notes.values()].map((made) => places.get(made.act)));
    return thread.slice(since + 1).some(({ head }) => head.kind === "change" && !head.terms.notes && !fold.void.has(head.number));
  }
  function markLate(opened) {
    const { fold, thread, notes, lateNotes } = opened;
    for (const { head: { kind, number, from, terms } } of thread) {
      if (kind !== "change" || !terms.noted || fold.void.has(number)) continue;
      const place = notes.findIndex((one) => one.hash === terms.noted);
      if (terms.noted !== NONE && place < 0) opened.missingNote = from;
      else for (const one of notes.slice(place + 1)) if (one.head.epoch < terms.epoch && !lateNotes.has(one.head.number)) lateNotes.set(one.head.number, from);
    }
  }
  // Two words for the state of a thread, by a key that only the code gives.
  function headWords(key, fold, list) {
    const made = S.hkdf(S.sha256, key, undefined, utf8(`ascolto concern v2 words\n${fold.start}\n${fold.head}\n${fold.ring.number}`), 32);
    const bits = ((made[0] << 16) | (made[1] << 8) | made[2]) >> 2;
    return [list[bits >> 11], list[bits & 2047]];
  }

  // --- what is due by when: the same days as surveys/cases/clocks.py, from signed letters ---
  const ISO = (date) => (date.getUTCFullYear() > 9999 ? "9999-12-31" : date.toISOString().slice(0, 10)); // a letter's day is its author's word
  function addDays(iso, n) { const date = new Date(`${iso}T00:00Z`); date.setUTCDate(date.getUTCDate() + n); return ISO(date); }
  function addMonths(iso, n) {
    const [year, month, of] = iso.split("-").map(Number);
    const at = (...day) => { const date = new Date(0); date.setUTCFullYear(...day); return date; }; // Date.UTC takes the year 26 for 1926
    return ISO(at(year, month - 1 + n, Math.min(of, at(year, month + n, 0).getUTCDate())));
  }
  // `rule` says for how many years a case is kept: more, where it ended under more.
  function dates({ state, received, acknowledged, outcome }, today, rule) {
    const found = { acknowledge: addDays(received, 7) };
    found.outcome = addMonths(acknowledged || found.acknowledge, 3);
    const by = { received: found.acknowledge, acknowledged: found.outcome }[state];
    if (by && today > by) found.late = addDays(by, 1);
    if (outcome) {
      const years = Math.max(rule.years, ...rule.longer.filter(([until]) => outcome <= until).map(([, longer]) => longer));
      [found.second, found.keep] = [addMonths(outcome, 3), addMonths(outcome, 12 * years)];
    }
    return found;
  }
  // --- writing ---
  function placeAfter(fold, ring) {
    const seen = ring.number >= fold.ring.number ? { number: ring.number, hash: ring.hash } : fold.ring;
    return { house: fold.house, case: fold.case, start: fold.start, stream: "thread", number: fold.count + 1, before: fold.head, epoch: fold.epoch, to: fold.to, thread: NONE, ring: seen };
  }
  async function letter(fold, ring, author, kind, day, content, terms = {}) {
    const place = placeAfter(fold, ring);
    const made = write(place, author, kind, day, content, P.random(32), terms);
    return { stream: "thread", number: place.number, epoch: fold.epoch, sealed: P.base64(await seal(made.plain, fold.to)) };
  }
  // Of the newest change: its keys do not open for me. Nothing where there is no way to say so.
  async function fails(opened, ring, author, day, rows) {
    const { fold, keys } = opened;
    const back = fold && fold.undo.get(fold.act);
    if (!back || !keys.thread.has(back.epoch) || !mayClaim(back, fold, author.name)) return null;
    const place = { ...placeAfter(back, ring), number: rows + 1, before: fold.act };
    const made = write(place, author, "fails", day, { text: "" }, P.random(32), { change: fold.act });
    return { stream: "thread", number: place.number, epoch: back.epoch, sealed: P.base64(await seal(made.plain, back.to)) };
  }
  async function encoded(wraps) {
    const made = {};
    for (const [name, wrap] of Object.entries(wraps)) made[name] = P.base64(await wrap);
    return made;
  }
  async function firstLetter(me, ring, house, out, day, content) {
    const to = recipientOf(me.first.thread);
    const kept = ring.readers.filter((one) => !out.has(one.id));
    const recovery = out.has("recovery") ? [] : recoveryOf(ring);
    const away = ring.readers.filter((one) => out.has(one.id)).map((one) => ({ ...keysOf(one), name: one.name }));
    const terms = { signer: me.signer, reader: me.reader, readers: kept.map(keysOf), out: away, recovery };
    const place = { house, case: me.case, start: NONE, stream: "thread", number: 1, before: NONE, epoch: 1, to, thread: NONE, ring: { number: ring.number, hash: ring.hash } };
    const made = write(place, me.author, "report", day, content, P.random(32), terms);
    const key = { start: made.hash, stream: "thread", number: 1, identity: me.first.thread, recipient: to, act: made.hash };
    const wraps = await makeRecovery(key, me.author, recovery);
    for (const one of kept) wraps[one.id] = makeWrap(key, me.author, one.id, one.recipient);
    return { epoch: { stream: "thread", number: 1, wraps: await encoded(wraps), link: "" }, sealed: P.base64(await seal(made.plain, to)) };
  }
  async function diaryLetter(me, house, day, content, there) {
    const to = recipientOf(me.first.diary);
    const [start, before] = there.length ? [there[0].hash, there[there.length - 1].hash] : [NONE, NONE];
    const place = { house, case: me.case, start, stream: "diary", number: there.length + 1, before, epoch: 1, to, thread: NONE, ring: { number: 0, hash: NONE } };
    const made = write(place, me.author, "diary", day, content, P.random(32));
    return { stream: "diary", number: place.number, epoch: 1, sealed: P.base64(await seal(made.plain, to)) };
  }
  return {
    write, fits, firstContent, seal, plainOf, readLetter, recipientOf, caseOf, makeWrap, makeRecovery, openCase, headWords, letter, fails, firstLetter, diaryLetter, encoded, padded,
    needsTwo, canBeDone, mayClaim, changePayload, readAsk, keysOf, same, isOn, placeAfter, dates, addDays, addMonths,
  };
})();
