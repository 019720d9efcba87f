// The handlers' desk: opens her keys, shows her cases by deadline. Keys live in this page's memory and end with it.
"use strict";
const Board = (() => {
  const { P, t, byId, make, button, day, warn, call, split, words, readKit, openBundle, resealBundle } = Keys;
  const here = { desk: null, keys: null, house: null, chain: null, old: [], handlers: {}, wrong: "", broken: "", unsent: new Map() };

  async function load() {
    const answer = await call("/cases/desk.json");
    if (answer.status === 409) return warn(await refusal(answer));
    if (!answer.ok) return location.assign("/cases/in");
    here.desk = await answer.json();
    here.broken = "";
    try {
      readLists(here.desk.lists);
    } catch (problem) {
      here.broken = "ring_broken"; // said once she has opened her desk
    }
    return here.desk;
  }
  function readLists(lists) {
    here.old = P.readKeyrings(lists.keyrings);
    here.handlers = P.signersOf(here.old);
    here.house = lists.house ? Signed.readHouse(lists.house) : null;
    here.chain = here.house && lists.rings.length ? Signed.vouched(Signed.readChain(lists.rings, lists.still, here.house), here.old) : null;
  }
  const ring = () => (here.chain ? here.chain.newest : null);
  function nameOf(id) {
    for (const one of here.chain ? [...here.chain.rings].reverse() : []) if (one.reader(id)) return one.reader(id).name;
    for (const one of [...here.old].reverse()) { const found = one.readers.find((reader) => reader.id === id); if (found) return found.name; }
    return id;
  }
  // What stands in the store is none of ours, or the list of readers is not signed as it must be.
  async function refusal(answer) {
    const { problem, lists } = await answer.json();
    return problem || wrong(lists);
  }
  const wrong = (word) => (t(`wrong.${word}`) === `wrong.${word}` ? t("wrong.letter_forged") : t(`wrong.${word}`));
  // Her keys, the house and the list are held against each other and against what this device remembers.
  async function checkLists() {
    here.wrong = here.broken;
    if (here.wrong || !here.chain) return;
    const mine = ring().reader(here.desk.name);
    if (mine && (mine.recipient !== here.keys.recipient || mine.signer !== here.keys.signer)) here.wrong = "key_other";
    here.wrong = here.wrong || Memory.checkLists(here.house, here.chain);
    if (!here.wrong) await Memory.keep(here.desk.name, here.keys);
  }
  const send = (address, content) => call(address, content, { headers: { "X-Form": here.desk.form } });

  async function unlock() {
    warn("");
    byId("status").textContent = t("door.working");
    try {
      const typed = byId("pass").value;
      const kit = typed.trim().split(/\s+/).length === 12;
      const seed = kit ? await readKit(typed) : (await split((await Passphrase.readings(typed))[0], here.desk.salt)).wrap;
      here.keys = await openBundle(here.desk.bundle, kit ? "kit" : "pass", seed);
      byId("pass").value = "";
      await Memory.load(here.desk.name, here.keys);
      byId("locked").hidden = true;
      byId("board").hidden = false;
      await showInbox();
    } catch (problem) {
      warn(t("desk.pass_wrong"));
    } finally {
      byId("status").textContent = "";
    }
  }
  const number = (id) => `${id.slice(0, 4)}-${id.slice(4, 8)}`.toUpperCase();

  async function showInbox() {
    if (!(await load())) return;
    const desk = here.desk;
    await checkLists();
    const parts = [make("h1", { textContent: t("desk.title") })];
    if (here.wrong) return byId("board").replaceChildren(...parts, make("p", { className: "card bad", textContent: wrong(here.wrong) }));
    if (here.chain && ring().until < desk.day) parts.push(make("p", { className: "card care", textContent: t("desk.overdue", { day: day(ring().until) }) }));
    if (!here.chain) parts.push(make("p", { className: "card care", textContent: t("desk.paused") }));
    if (here.house && !desk.statement) parts.push(await statement());
    if (!desk.trained_now) parts.push(make("p", { className: "card care", textContent: t("desk.untrained") }));
    if (!desk.on_list) parts.push(make("p", { className: "card care", textContent: t("desk.not_on_ring") }));
    for (const one of desk.unreadable) parts.push(make("p", { className: "card bad", textContent: t("desk.unreadable", { case: number(one) }) }));
    if (!desk.inbox.length && !desk.unreadable.length) parts.push(make("p", { className: "card", textContent: t("desk.empty") }));
    if (desk.inbox.length) parts.push(table(desk.inbox));
    for (const one of Memory.vanished([...desk.inbox.map((line) => line.case), ...desk.unreadable])) {
      const line = make("p", { className: "card care", textContent: `${t("desk.vanished", { case: number(one) })} ` });
      line.append(button(t("desk.vanished_known"), async () => { Memory.forget(one); await Memory.keep(desk.name, here.keys); line.remove(); }));
      parts.push(line);
    }
    parts.push(away(desk), passphrase());
    if (here.house) parts.push(make("p", { className: "quiet" }, `${t("desk.house")} `, make("b", { textContent: Signed.wordsOf(here.house.printed, await words()).join(" ") })));
    byId("board").replaceChildren(...parts);
  }
  function cell(name, given, ...inside) {
    const made = make("td", given, ...inside);
    made.dataset.head = t(`desk.${name}`); // on a phone each line stands by itself, and each cell says what it is
    return made;
  }
  function table(lines) {
    const head = make("tr", {}, ...["case", "state", "next", "by", "received"].map((name) => make("th", { scope: "col", textContent: t(`desk.${name}`) })));
    const rows = lines.map((line) => {
      const next = line.duties[0];
      const late = next && next.late;
      const open = button(number(line.case), () => Case.open(line.case));
      const state = t(`state.${line.state}`) + (line.held ? ` · ${t("desk.held")}` : "") + (line.ended ? "" : ` · ${t("desk.end_open")}`);
      const by = next ? `${late ? `${t("desk.late")} · ` : ""}${day(next.by)}` : "";
      return make("tr", {}, cell("case", {}, open), cell("state", { textContent: state }), cell("next", { textContent: next ? t(`duty.${next.what}`) : "" }),
        cell("by", { className: late ? "bad" : line.pressing ? "care" : "", textContent: by }), cell("received", { textContent: day(line.received) }));
    });
    return make("div", { className: "scroll" }, make("table", { className: "stack" }, make("caption", { className: "quiet", textContent: t("desk.unchecked") }), make("thead", {}, head), make("tbody", {}, ...rows)));
  }
  // What she signs of her own keys, so that nobody else's can be written beside her name; the six words go on her kit.
  async function statement() {
    const title = make("input", { type: "text", id: "own-name", maxLength: 120, autocomplete: "name" });
    const box = make("section", { className: "card" }, make("h2", { textContent: t("desk.statement") }), make("p", { textContent: t("desk.statement_note") }),
      make("label", { htmlFor: "own-name", textContent: t("desk.statement_name") }), title);
    box.append(button(t("desk.statement_sign"), async () => {
      if (!title.value.trim()) return warn(t("desk.statement_name"));
      const { keys, desk, house } = here;
      const text = Signed.sign({ v: 2, house: house.hash, id: desk.name, name: title.value.trim(), recipient: keys.recipient, signer: keys.signer, day: desk.day }, "handler", keys.ed25519);
      const answer = await send("/cases/statement", { statement: text });
      if (!answer.ok) return warn(t("door.broken"));
      const six = Signed.sixWords(P.hash(JSON.parse(text).body), await words());
      box.replaceChildren(make("h2", { textContent: t("desk.statement") }), make("p", { textContent: t("desk.statement_words") }), make("p", { className: "secret", dir: "ltr", textContent: six.join(" ") }));
    }));
    return box;
  }
  function away(desk) {
    const from = make("input", { type: "date", id: "away-from", value: desk.away_from });
    const until = make("input", { type: "date", id: "away-until", value: desk.away_until });
    const save = button(t("desk.away_save"), async () => {
      const answer = await send("/cases/absence", { begins: from.value, ends: until.value });
      warn(answer.ok ? "" : t("desk.away_wrong"));
      if (answer.ok) await showInbox();
    });
    return make("details", {}, make("summary", { textContent: t("desk.away") }), make("p", { className: "quiet", textContent: t("desk.away_note") }),
      make("label", { htmlFor: "away-from", textContent: t("desk.away_from") }), from, make("label", { htmlFor: "away-until", textContent: t("desk.away_until") }), until, save);
  }
  function passphrase() {
    const old = make("input", { type: "password", id: "old-pass", autocomplete: "current-password" });
    const second = make("input", { type: "text", id: "new-second", inputMode: "numeric", autocomplete: "one-time-code" });
    const place = make("div", { id: "new-words" });
    let drawn = null;
    const save = button(t("desk.pass_save"), async () => {
      const pass = drawn.text();
      if (!pass) return warn(t("door.drawn_wrong"));
      save.disabled = true;
      const problem = await changePassphrase(old.value, second.value, pass).catch(() => "broken");
      save.disabled = false;
      if (problem) return warn(t({ wrong: "desk.pass_refused", busy: "door.busy" }[problem] || "door.broken"));
      location.assign("/cases/in");
    });
    const fold = make("details", {}, make("summary", { textContent: t("desk.pass_change") }), make("label", { htmlFor: "old-pass", textContent: t("desk.pass_old") }), old,
      make("label", { htmlFor: "new-second", textContent: t("door.second") }), second, make("p", { className: "quiet", textContent: t("door.drawn_note") }), place, save);
    fold.addEventListener("toggle", async () => {
      if (!fold.open || drawn) return;
      drawn = await Passphrase.shown();
      place.replaceChildren(drawn.element);
    });
    return fold;
  }
  // Sends what the old passphrase proves, or a signature of the keys that the printed kit opens; gives what was wrong, if anything.
  async function changePassphrase(old, second, pass) {
    const salt = P.hex(P.random(16));
    const { login, wrap } = await split(pass, salt);
    const wanted = { login, salt, bundle: await resealBundle(here.desk.bundle, here.keys, wrap), second: second.trim() };
    let proofs = [];
    if (old.trim().split(/\s+/).length === 12) {
      const keys = await readKit(old).then((seed) => openBundle(here.desk.bundle, "kit", seed)).catch(() => null);
      if (keys) proofs = [{ proof: P.sign({ form: here.desk.form, login, salt, bundle: wanted.bundle }, "passphrase", keys.ed25519) }];
    } else for (const reading of await Passphrase.readings(old)) proofs.push({ old: (await split(reading, here.desk.salt)).login });
    let problem = "wrong";
    for (const proof of proofs) {
      const answer = await send("/cases/passphrase", { ...wanted, ...proof });
      if (answer.ok) return "";
      problem = (await answer.json()).problem;
      if (problem !== "wrong") break;
    }
    return problem;
  }
  async function start() {
    if (!(await load())) return;
    if (!here.desk.bundle) return warn(t("desk.no_keys"));
    byId("unlock").addEventListener("submit", (event) => { event.preventDefault(); unlock(); });
    byId("open").disabled = false;
  }
  return { here, ring, nameOf, wrong, send, number, showInbox, start };
})();
