// A holder's device: it draws her eight words, derives her keys and signs. The words are in no form and never leave.
// The same as surveys/answers/holders.py; needs argon.js, sealing.js, concern-protocol.js and signed.js before it.
"use strict";
const Holder = (() => {
  const { utf8, hex } = Protocol;
  const { hkdf, sha256 } = Sealing;

  // --- P-256: the point of a number, without a key store (a browser derives none from a seed) ---
  const FIELD = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
  const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const BASE = [0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n, 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n, 1n];
  const mod = (value, by = FIELD) => ((value % by) + by) % by;
  function inverse(value) {
    let [a, b, x, y] = [mod(value), FIELD, 1n, 0n];
    while (a > 1n) {
      const q = b / a;
      [a, b, x, y] = [b - q * a, a, y - q * x, x];
    }
    return mod(x);
  }
  function double([x, y, z]) { // Jacobian, a = -3
    const delta = mod(z * z), gamma = mod(y * y), beta = mod(x * gamma);
    const alpha = mod(3n * (x - delta) * (x + delta));
    const x3 = mod(alpha * alpha - 8n * beta);
    return [x3, mod(alpha * (4n * beta - x3) - 8n * gamma * gamma), mod((y + z) ** 2n - gamma - delta)];
  }
  function add(p, q) {
    if (!p) return q;
    const [x1, y1, z1] = p, [x2, y2, z2] = q;
    const zz1 = mod(z1 * z1), zz2 = mod(z2 * z2);
    const u1 = mod(x1 * zz2), u2 = mod(x2 * zz1), s1 = mod(y1 * z2 * zz2), s2 = mod(y2 * z1 * zz1);
    if (u1 === u2) return s1 === s2 ? double(p) : null;
    const h = mod(u2 - u1), r = mod(s2 - s1), hh = mod(h * h), hhh = mod(h * hh), v = mod(u1 * hh);
    const x3 = mod(r * r - hhh - 2n * v);
    return [x3, mod(r * (v - x3) - s1 * hhh), mod(z1 * z2 * h)];
  }
  function pointOf(scalar) {
    let sum = null;
    for (const bit of scalar.toString(2)) {
      if (sum) sum = double(sum);
      if (bit === "1") sum = add(sum, BASE);
    }
    const turn = inverse(sum[2]), square = mod(turn * turn);
    const wide = (value) => value.toString(16).padStart(64, "0");
    return `04${wide(mod(sum[0] * square))}${wide(mod(sum[1] * square * turn))}`;
  }

  // --- keys of eight words ---
  async function keysOf(words, house, wave, seat) {
    const salt = sha256(utf8(`ascolto holder v2 ${house} ${wave} ${seat}`)).slice(0, 16);
    const made = await Argon.argon2idAsync(utf8(words), salt, { t: 3, m: 65536, p: 1, dkLen: 32 });
    const wide = hkdf(sha256, made, undefined, utf8("ascolto holder v2 p256"), 48);
    const seed = hkdf(sha256, made, undefined, utf8("ascolto holder v2 ed25519"), 32);
    return { point: pointOf(mod(BigInt(`0x${hex(wide)}`), ORDER - 1n) + 1n), seed, signer: Signed.publicOf(seed) };
  }
  const state = (keys, house, wave, seat, name, day) =>
    Signed.sign({ v: 2, house, wave, seat, name, point: keys.point, signer: keys.signer, day }, "holder", keys.seed);
  const confirm = (keys, plan, seat, day) => Signed.sign({ v: 2, plan, seat, day }, "confirm", keys.seed);

  // Whether these keys are those of her own statement in the plan, and the plan is of this hash.
  function isMine(keys, plan, hash, seat) {
    if (Protocol.hash(plan) !== hash) return false;
    const mine = JSON.parse(plan).holders.map((text) => Signed.read(text, "holder").body).find((body) => body.seat === seat);
    return Boolean(mine) && mine.point === keys.point && mine.signer === keys.signer;
  }
  const typed = (text) => text.toLowerCase().replace(/,/g, " ").trim().split(/\s+/).join(" ");

  function draw(list) {
    const places = crypto.getRandomValues(new Uint16Array(8));
    return Array.from(places, (place) => list[place & 2047]); // 2,048 words: no remainder
  }
  return { pointOf, keysOf, state, confirm, isMine, typed, draw };
})();

(() => {
  const form = document.getElementById("holder");
  if (!form) return;
  const page = form.dataset;
  const byId = (id) => document.getElementById(id);
  const warn = (sentence) => {
    byId("wrong").hidden = !sentence;
    byId("wrong").textContent = sentence;
  };
  form.hidden = false;

  async function making() {
    const list = (await (await fetch(page.words)).text()).trim().split("\n");
    const words = Holder.draw(list);
    byId("words").replaceChildren(...words.map((word) => Object.assign(document.createElement("li"), { textContent: word })));
    const asked = [1 + (crypto.getRandomValues(new Uint8Array(1))[0] & 3), 5 + (crypto.getRandomValues(new Uint8Array(1))[0] & 3)];
    asked.forEach((place, n) => (byId(`ask${n}`).textContent = page.ask.replace("{n}", place)));
    return async () => {
      if (!asked.every((place, n) => byId(`part${n}`).value.trim().toLowerCase() === words[place - 1])) return warn(page.differs);
      const keys = await Holder.keysOf(words.join(" "), page.house, page.wave, page.seat);
      form.elements.signed.value = Holder.state(keys, page.house, page.wave, page.seat, page.name, page.day);
      return form.submit();
    };
  }
  async function confirming() {
    return async () => {
      const keys = await Holder.keysOf(Holder.typed(byId("part0").value), page.house, page.wave, page.seat);
      if (!Holder.isMine(keys, page.plan, page.hash, page.seat)) return warn(page.differs);
      form.elements.signed.value = Holder.confirm(keys, page.hash, page.seat, page.day);
      return form.submit();
    };
  }
  const ready = page.plan ? confirming() : making();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button.go");
    button.disabled = true;
    warn("");
    await (await ready)();
    button.disabled = false;
  });
})();
