// What needs two readers, or tells others: asks, changes of keys, redactions, leaving. Each is a signed letter; the fold decides.
"use strict";
const Acts = (() => {
  const { P, t, make, button, day, warn } = Keys;
  const { here, nameOf, send } = Board;
  const me = () => ({ name: here.desk.name, seed: here.keys.ed25519 });
  const ring = () => here.chain.newest;

  const refused = (status) => warn(t({ 401: "case.session_over", 409: "case.stale" }[status] || "case.failed"));
  async function post(now, letter, extra = {}) {
    const answer = await send(`/cases/case/${now.file.case}/write`, { move: "", uploads: [], ...letter, ...extra });
    if (answer.ok) return true;
    refused(answer.status);
    return false;
  }
  const write = async (now, kind, content, terms = {}, extra = {}) => post(now, await Fold.letter(now.opened.fold, ring(), me(), kind, here.desk.day, content, terms), extra);
  const note = async (now, kind, content) => post(now, await FoldDesk.note(now.opened, ring(), me(), kind, here.desk.day, content));

  // --- changes of keys ---
  async function change(now, readers, recovery, asked) {
    const sent = await FoldDesk.newKeys(now.opened, ring(), me(), here.desk.day, readers, recovery, asked);
    return post(now, sent);
  }
  function ask(now, readers) {
    const { fold } = now.opened;
    const { gains, leaves } = Fold.needsTwo(fold, readers, [ring()], here.desk.name);
    const payload = Fold.changePayload(gains.map(Fold.keysOf), leaves);
    return write(now, "ask", { text: t("ask.text"), payload }, { what: "change", payload: P.hash(payload) });
  }
  const without = (fold, id) => [...fold.readers.values()].filter((one) => one.id !== id);
  // What is asked and not done yet (a letter may name an ask that it does not need: that uses none up), with what it says if its words fit its hash.
  function open(now) {
    const { fold, thread } = now.opened;
    const found = [];
    for (const [hash, one] of fold.asks) {
      const letter = thread.find((each) => each.hash === hash);
      const payload = letter && letter.content && letter.content.payload;
      const wanted = payload && Fold.readAsk(one.what, payload);
      if (fold.used.has(hash) || !wanted || P.hash(payload) !== one.payload) continue;
      found.push({ hash, ...one, wanted, letter });
    }
    return found;
  }
  // What agreeing would do, in words; nothing where it would do something that no sentence says.
  function sentences(now, one) {
    if (one.what === "redact") {
      const target = now.opened.thread.find((each) => each.head.number === one.wanted.number);
      const fits = target && target.content && target.head.content === one.wanted.content && P.hash(one.letter.content.text) === one.wanted.text;
      return fits ? [t("ask.redact", { n: one.wanted.number }), t("ask.goes", { text: target.content.text }), t("ask.comes", { text: one.letter.content.text })] : [];
    }
    if (!Fold.canBeDone(now.opened.fold, ring(), one.wanted)) return [];
    const { gains, leaves, recovery } = one.wanted;
    const lines = [...gains.map((each) => t("ask.gain", { name: nameOf(each.id) })), ...leaves.map((id) => t("ask.leave", { name: nameOf(id) }))];
    return recovery.length ? [...lines, t("ask.recovery", { holders: ring().recovery.map((seat) => seat.name).join(", ") })] : lines;
  }
  function asks(now, again) {
    const lines = open(now).filter((one) => sentences(now, one).length).map((one) => {
      const box = make("li", {}, ...sentences(now, one).map((line, place) => make("p", { textContent: place && one.what === "redact" ? line : `${nameOf(one.by)} · ${day(one.letter.head.day)}: ${line}` })));
      if (one.by === here.desk.name && !one.allowed) box.append(make("p", { className: "quiet", textContent: t("ask.waiting") }));
      else box.append(button(t("ask.do"), () => perform(now, one).then((fine) => fine && again()).catch(() => warn(t("case.failed"))), "danger"));
      return box;
    });
    return lines.length ? make("section", { className: "card" }, make("h2", { textContent: t("ask.title") }), make("ul", {}, ...lines)) : "";
  }
  function perform(now, one) {
    const { fold } = now.opened;
    if (one.what === "redact") return redact(now, one);
    const after = [...fold.readers.values()].filter((each) => !one.wanted.leaves.includes(each.id)).concat(one.wanted.gains);
    return change(now, after, one.wanted.recovery.length ? one.wanted.recovery : fold.recovery, one.hash);
  }
  // Who gains and who leaves by the newest list, by leaving or by the reporter's wish: shown by name, done when she says so.
  function due(now, again) {
    const { fold } = now.opened;
    const wanted = FoldDesk.wantedReaders(fold, here.chain);
    const reading = [...fold.readers.values()];
    if (Fold.same(wanted, [...reading].sort((a, b) => (a.id < b.id ? -1 : 1)))) return "";
    const leaves = reading.filter((one) => !wanted.some((each) => each.id === one.id)).map((one) => t("due.leave", { name: nameOf(one.id) }));
    const renewed = wanted.filter((one) => !Fold.same(one, fold.readers.get(one.id))).map((one) => t("due.renewed", { name: nameOf(one.id) }));
    return make("section", { className: "card care" }, make("h2", { textContent: t("due.title") }), ...[...leaves, ...renewed].map((line) => make("p", { textContent: line })),
      button(t("due.do"), () => change(now, wanted, fold.recovery, "").then((fine) => fine && again()).catch(() => warn(t("case.failed"))), "go"));
  }

  // --- redaction: one asks, another does; the words that stand there are the ones both saw ---
  function askRedaction(now, letter, text) {
    const { head, content } = letter;
    const payload = FoldDesk.redactPayload(head.number, head.content, text, []);
    return content && write(now, "ask", { text, payload }, { what: "redact", payload: P.hash(payload) });
  }
  async function redact(now, one) {
    const { wanted, letter, hash } = one;
    const target = now.opened.thread.find((each) => each.head.number === wanted.number);
    const text = letter.content.text;
    if (P.hash(text) !== wanted.text || target.head.content !== wanted.content) throw new P.CannotOpen("redaction_alone");
    if (!(await write(now, "redact", { text }, { ...wanted, asked: hash }))) return false;
    const emptied = await Fold.seal(FoldDesk.emptied(target.plain), target.head.to);
    const answer = await send(`/cases/case/${now.file.case}/redact`, { number: wanted.number, sealed: P.base64(emptied) });
    return answer.ok;
  }
  // The second pair of eyes: a new epoch that opened, and a letter whose content went but nothing else.
  async function confirm(now) {
    const { file, opened } = now;
    const newest = file.epochs.filter((one) => one.stream === "thread").sort((a, b) => b.number - a.number)[0];
    if (newest && !newest.confirmed && !opened.cut && newest.number === opened.fold.epoch && opened.fold.madeBy !== here.desk.name) {
      const { fold } = opened; // who reads by the letters: nobody of these may lose what she had
      const recovery = fold.recovery.length ? ["recovery+ab", "recovery+ac", "recovery+bc"] : [];
      await send(`/cases/case/${file.case}/seen`, { number: newest.number, readers: [...fold.readers.keys(), ...recovery, "reporter"] });
    }
    for (const row of file.messages) {
      const letter = opened.thread.find((one) => one.head.number === row.number);
      const done = row.replacement && row.stream === "thread" && letter && opened.fold.redacted.get(row.number);
      if (!done || done.by === here.desk.name) continue;
      const plain = await Fold.plainOf(P.unbase64(row.replacement), opened.keys.thread.get(letter.head.epoch));
      if (plain === FoldDesk.emptied(letter.plain)) await send(`/cases/case/${file.case}/redacted`, { number: row.number, digest: P.hash(row.replacement) });
    }
  }
  // How the case stands by its letters: several desks' words decide whether it is late, and when it ended.
  async function stand(now) {
    const { file, opened: { fold } } = now;
    const by = (day, last) => (day > last ? last : day); // a letter's day is its author's word: none is after today, or after a later step
    const outcome = by(fold.outcome, here.desk.day);
    const said = { state: fold.state, received: file.received || fold.received, acknowledged: by(fold.acknowledged, outcome || here.desk.day), outcome };
    const letters = file.messages.filter((row) => row.stream === "thread").length;
    await send(`/cases/case/${file.case}/stands`, { ...said, letters });
  }
  // Keys that do not open for me: I say so; a colleague makes new ones, or a second word goes back behind them.
  async function fails(now) {
    const rows = now.file.messages.filter((row) => row.stream === "thread").length;
    const made = await Fold.fails(now.opened, ring(), me(), here.desk.day, rows);
    return made ? post(now, made) : false;
  }
  const claimers = ({ opened }) => new Set([...opened.claimed, ...(opened.fold.claims.get(opened.fold.act) || { by: [] }).by]);
  // Others cannot open the keys in use, and I can: new keys for all help, and nothing is lost.
  function help(now, again) {
    const { fold } = now.opened;
    const who = [...fold.claims.values()].flatMap(({ by }) => [...by]).filter((id) => id !== here.desk.name);
    if (!who.length) return "";
    const names = who.map((id) => (id === "reporter" ? t("case.reporter") : nameOf(id))).join(", ");
    return make("section", { className: "card care" }, make("h2", { textContent: t("fails.title") }), make("p", { textContent: t("fails.help", { names }) }),
      button(t("fails.do"), () => change(now, [...fold.readers.values()], fold.recovery, "").then((fine) => fine && again()).catch(() => warn(t("case.failed"))), "go"));
  }
  return { refused, me, write, note, change, ask, without, asks, due, askRedaction, confirm, stand, fails, claimers, help, open };
})();
