// The handlers' desk: opens her keys, shows her cases by deadline. Keys live in this page's memory and end with it.
"use strict";
const Board = (() => {
  const { P, t, byId, make, button, day, warn, call, split, readKit, openBundle, resealBundle } = Keys;
  const here = { desk: null, keys: null, rings: [], handlers: {} };

  async function load() {
    const answer = await call("/cases/desk.json");
    if (!answer.ok) return location.assign("/cases/in");
    here.desk = await answer.json();
    here.rings = P.readKeyrings(here.desk.keyrings);
    here.handlers = P.signersOf(here.rings);
    return here.desk;
  }
  const ring = () => here.rings[here.rings.length - 1];
  const nameOf = (id) => (ring().readers.find((reader) => reader.id === id) || { name: id }).name;
  const send = (address, content) => call(address, content, { headers: { "X-Form": here.desk.form } });

  async function unlock() {
    warn("");
    byId("status").textContent = t("door.working");
    try {
      const typed = byId("pass").value;
      const kit = typed.trim().split(/\s+/).length === 12;
      const seed = kit ? await readKit(typed) : (await split(typed, here.desk.salt)).wrap;
      here.keys = await openBundle(here.desk.bundle, kit ? "kit" : "pass", seed);
      byId("pass").value = "";
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
    await load();
    const desk = here.desk;
    const parts = [make("h1", { textContent: t("desk.title") })];
    if (!desk.trained_now) parts.push(make("p", { className: "card care", textContent: t("desk.untrained") }));
    if (!ring().readers.some((reader) => reader.id === desk.name)) parts.push(make("p", { className: "card care", textContent: t("desk.not_on_ring") }));
    if (!desk.inbox.length) parts.push(make("p", { className: "card", textContent: t("desk.empty") }));
    else parts.push(table(desk.inbox));
    parts.push(away(desk), passphrase(), make("p", { className: "quiet" }, `${t("desk.fingerprint")} `, make("code", { textContent: ring().fingerprint.match(/.{4}/g).join(" ") })));
    byId("board").replaceChildren(...parts);
  }
  function table(lines) {
    const head = make("tr", {}, ...["case", "state", "next", "by", "received"].map((name) => make("th", { scope: "col", textContent: t(`desk.${name}`) })));
    const rows = lines.map((line) => {
      const next = line.duties[0];
      const late = next && next.late;
      const open = button(number(line.case), () => Case.open(line.case));
      return make("tr", {}, make("td", {}, open), make("td", { textContent: t(`state.${line.state}`) + (line.held ? ` · ${t("desk.held")}` : "") }),
        make("td", { textContent: next ? t(`duty.${next.what}`) : "" }),
        make("td", { className: late ? "bad" : line.pressing ? "care" : "" }, next ? `${late ? `${t("desk.late")} · ` : ""}${day(next.by)}` : ""),
        make("td", { textContent: day(line.received) }));
    });
    return make("div", { className: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
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
    const field = (id) => make("input", { type: "password", id, autocomplete: "new-password" });
    const [first, second] = [field("new-pass"), field("new-again")];
    const save = button(t("desk.pass_save"), async () => {
      if (first.value !== second.value) return warn(t("door.differ"));
      if (first.value.length < 14) return warn(t("door.short"));
      save.disabled = true;
      const salt = P.hex(P.random(16));
      const { login, wrap } = await split(first.value, salt);
      const answer = await send("/cases/passphrase", { login, salt, bundle: await resealBundle(here.desk.bundle, here.keys, wrap) });
      save.disabled = false;
      if (!answer.ok) return warn(t("door.broken"));
      location.assign("/cases/in");
    });
    return make("details", {}, make("summary", { textContent: t("desk.pass_change") }), make("p", { className: "quiet", textContent: t("door.pass_note") }),
      make("label", { htmlFor: "new-pass", textContent: t("door.pass_new") }), first, make("label", { htmlFor: "new-again", textContent: t("door.again") }), second, save);
  }
  async function start() {
    if (!(await load())) return;
    if (!here.desk.bundle) return warn(t("desk.no_keys"));
    byId("unlock").addEventListener("submit", (event) => { event.preventDefault(); unlock(); });
    byId("open").disabled = false;
  }
  return { here, ring, nameOf, send, number, showInbox, start };
})();
