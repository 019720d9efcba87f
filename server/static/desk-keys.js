// A handler's keys: the passphrase is worked here and never leaves; the printed kit opens them too.
"use strict";
const Keys = (() => {
  const P = Protocol;
  const page = document.getElementById("desk-data").dataset;
  const texts = JSON.parse(page.texts);
  const t = (key, values = {}) => (texts[key] || key).replace(/\{(\w+)\}/g, (_, name) => (name in values ? values[name] : ""));
  const byId = (id) => document.getElementById(id);
  function make(tag, options = {}, ...children) {
    const element = Object.assign(document.createElement(tag), options);
    element.append(...children);
    return element;
  }
  const button = (label, act, className = "") => make("button", { type: "button", textContent: label, className, onclick: act });
  const day = (iso) => (iso ? new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeZone: "UTC" }).format(new Date(`${iso}T00:00Z`)) : "");
  function warn(sentence) {
    const box = byId("wrong");
    box.hidden = !sentence;
    box.querySelector("p").textContent = sentence || "";
    if (sentence) box.scrollIntoView({ block: "nearest" });
  }
  async function call(address, content, options = {}) {
    const headers = { ...(content === undefined ? {} : { "Content-Type": "application/json" }), ...(options.headers || {}) };
    const answer = await fetch(address, { cache: "no-store", credentials: "same-origin", ...options, ...(content === undefined ? {} : { method: "POST", body: JSON.stringify(content) }), headers });
    return answer.redirected ? new Response(null, { status: 401 }) : answer; // the session is over: a page to sign in is no answer
  }

  // Argon2id, 64 MiB, three passes: half signs in, half opens.
  async function split(passphrase, salt) {
    const made = await Argon.argon2idAsync(P.utf8(passphrase), P.unhex(salt), { t: 3, m: 65536, p: 1, dkLen: 64 });
    return { login: P.hex(made.subarray(0, 32)), wrap: made.slice(32) };
  }
  const { hkdf, sha256, ed25519 } = Sealing;
  const kitSeed = (entropy) => hkdf(sha256, entropy, undefined, P.utf8("ascolto handler v1 kit"), 32);
  let list = null;
  async function words() {
    if (!list) list = (await (await fetch(page.words)).text()).trim().split("\n");
    return list;
  }
  async function newKit() {
    const entropy = P.random(16);
    const value = (entropy.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) << 4n) | BigInt(sha256(entropy)[0] >> 4);
    const all = await words();
    return { entropy, words: Array.from({ length: 12 }, (_, place) => all[Number((value >> BigInt(11 * (11 - place))) & 2047n)]) };
  }
  async function readKit(typed) {
    const all = await words();
    const places = typed.toLowerCase().trim().split(/\s+/).map((word) => all.indexOf(word));
    if (places.length !== 12 || places.includes(-1)) throw new P.CannotOpen("kit");
    const value = places.reduce((sum, place) => (sum << 11n) | BigInt(place), 0n);
    const entropy = P.unhex((value >> 4n).toString(16).padStart(32, "0"));
    if (BigInt(sha256(entropy)[0] >> 4) !== (value & 15n)) throw new P.CannotOpen("kit");
    return kitSeed(entropy);
  }
  async function makeBundle(seeds, wrap, kit) {
    const recipient = (seed) => P.recipientOf(seed);
    const content = P.utf8(JSON.stringify({ x25519: P.hex(seeds.x25519), ed25519: P.hex(seeds.ed25519) }));
    return JSON.stringify({ pass: P.base64(await P.encrypt(content, recipient(wrap))), kit: P.base64(await P.encrypt(content, recipient(kit))) });
  }
  // The same keys under another passphrase; the printed kit stays good.
  async function resealBundle(bundle, seeds, wrap) {
    const content = P.utf8(JSON.stringify({ x25519: P.hex(seeds.x25519), ed25519: P.hex(seeds.ed25519) }));
    return JSON.stringify({ pass: P.base64(await P.encrypt(content, P.recipientOf(wrap))), kit: JSON.parse(bundle).kit });
  }
  async function openBundle(bundle, way, seed) {
    const content = JSON.parse(P.text(await P.decrypt(P.unbase64(JSON.parse(bundle)[way]), P.identityOf(seed))));
    return keysOf({ x25519: P.unhex(content.x25519), ed25519: P.unhex(content.ed25519) });
  }
  const keysOf = (seeds) => ({ ...seeds, identity: P.identityOf(seeds.x25519), recipient: P.recipientOf(seeds.x25519), signer: P.hex(ed25519.getPublicKey(seeds.ed25519)) });
  const newKeys = () => keysOf({ x25519: P.random(32), ed25519: P.random(32) });

  return { P, t, byId, make, button, day, warn, call, split, words, newKit, readKit, kitSeed, makeBundle, resealBundle, openBundle, newKeys };
})();
