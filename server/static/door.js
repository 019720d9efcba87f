// Signing in as a handler, and the first making of keys. The passphrase has no name attribute and never leaves this page.
"use strict";
(() => {
  const { P, t, byId, make, warn, call, split, newKit, kitSeed, makeBundle, newKeys } = Keys;
  const status = (sentence) => { byId("status").textContent = sentence; };
  const value = (id) => byId(id).value.trim();
  const problems = { wrong: "door.wrong", foreign: "door.foreign", busy: "door.busy", second: "door.second_wrong", keys: "door.broken" };

  async function guarded(act) {
    warn("");
    byId("go").disabled = true;
    try {
      await act();
    } catch (problem) {
      warn(t("door.broken"));
    } finally {
      byId("go").disabled = false;
      status("");
    }
  }
  async function signIn() {
    status(t("door.working"));
    const typed = byId("pass").value.trim();
    const { salt } = await (await call(`/cases/salt?name=${encodeURIComponent(value("name"))}`)).json();
    const isWord = /^[0-9a-f]{6}(-[0-9a-f]{6}){3}$/.test(typed); // an entry word is no secret of hers
    let answer = null;
    for (const reading of isWord ? [typed] : await Passphrase.readings(byId("pass").value)) {
      const login = isWord ? typed : (await split(reading, salt)).login;
      answer = await call("/cases/in", { name: value("name"), login, second: value("second") });
      if (answer.status !== 403) break;
    }
    if (!answer.ok) return warn(t(problems[(await answer.json()).problem] || "door.broken"));
    location.assign(`/cases?lang=${document.documentElement.lang}`);
  }

  let drawn = null;
  async function prepare() {
    const factor = await (await call(`/cases/second?name=${encodeURIComponent(value("name"))}`)).json();
    drawn = { factor, kit: await newKit(), keys: newKeys(), salt: P.hex(P.random(16)), pass: await Passphrase.shown() };
    byId("drawn").replaceChildren(drawn.pass.element);
    byId("factor").replaceChildren(make("img", { src: factor.picture, alt: t("door.factor_alt"), width: 220 }), make("p", {}, make("code", { textContent: factor.secret })));
    const shown = byId("kit");
    shown.replaceChildren(...drawn.kit.words.map((word) => make("li", { textContent: word })));
  }
  async function setUp() {
    const pass = drawn.pass.text();
    if (!pass) return warn(t("door.drawn_wrong"));
    const typed = value("kit-word").toLowerCase();
    if (typed !== drawn.kit.words[4]) return warn(t("door.kit_wrong"));
    status(t("door.working"));
    const { login, wrap } = await split(pass, drawn.salt);
    const bundle = await makeBundle(drawn.keys, wrap, kitSeed(drawn.kit.entropy));
    const answer = await call("/cases/setup", {
      name: value("name"), word: value("word"), login, salt: drawn.salt, bundle, recipient: drawn.keys.recipient,
      signer: drawn.keys.signer, secret: drawn.factor.secret, second: value("second"), contact: value("contact"),
    });
    if (!answer.ok) return warn(t(problems[(await answer.json()).problem] || "door.broken"));
    byId("door").replaceChildren(make("p", { className: "card", textContent: t("door.made") }), make("p", {}, make("a", { className: "b go", href: "/cases/in", textContent: t("door.title") })));
  }

  byId("door").addEventListener("submit", (event) => {
    event.preventDefault();
    guarded(byId("kit") ? setUp : signIn);
  });
  if (byId("kit")) prepare().catch(() => warn(t("door.broken")));
  byId("go").disabled = false;
})();
