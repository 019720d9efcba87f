// Signed texts, the house file and the rings of readers: the same as surveys/signed.py and surveys/public/rings.py, byte by byte.
// docs/protocol.md says it; tests/vectors hold both sides to it. Nothing here touches the page or the network.
"use strict";
const Signed = (() => {
  const { CannotOpen, utf8, hex, unhex, hash } = Protocol;
  const S = Sealing;
  const NONE = "0".repeat(64);
  const no = (word) => { throw new CannotOpen(word); };
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

  // --- one canonical JSON ---
  function canonical(value) {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (isObject(value)) return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
    return JSON.stringify(value);
  }
  function parse(content, word = "letter_forged") {
    let value;
    if (tooDeep(content)) no(word);
    try { value = JSON.parse(content); } catch (problem) { no(word); }
    // what does not write itself again was not canonical: doubled names, fractions, spaces, lone surrogates
    if (canonical(value) !== content || !plain(value) || content !== new TextDecoder().decode(utf8(content))) no(word);
    return value;
  }
  const DEEPEST = 32;
  // How deep objects and lists lie in each other: more than any structure of ours would only tire a reader out.
  function depth(content) {
    let [now, most, inside] = [0, 0, false];
    for (let place = 0; place < content.length; place += 1) {
      const letter = content[place];
      if (inside && letter === "\\") place += 1;
      else if (letter === '"') inside = !inside;
      else if (!inside && (letter === "{" || letter === "[")) most = Math.max(most, (now += 1));
      else if (!inside && (letter === "}" || letter === "]")) now -= 1;
    }
    return most;
  }
  const tooDeep = (content) => depth(content) > DEEPEST;
  const HALF = /\p{Surrogate}/u; // of a character of two units: no UTF-8 has it, and JSON.stringify hides it in an escape
  /** What people wrote, in characters that every language reads: a field that cuts a text cuts an emoji in two. */
  const mended = (value) => JSON.parse(JSON.stringify(value, (_, one) => (typeof one === "string" ? one.replace(/\p{Surrogate}/gu, "\ufffd") : one)));
  function plain(value) {
    if (typeof value === "string") return !HALF.test(value);
    if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0);
    if (Array.isArray(value)) return value.every(plain);
    if (isObject(value)) return Object.keys(value).every((name) => name !== "__proto__" && plain(name) && plain(value[name]));
    return true;
  }

  // --- shapes: every field is named, none is missing, none is more ---
  const is = {
    hex: (bytes) => (value) => typeof value === "string" && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value),
    text: (least, most) => (value) => typeof value === "string" && value.length >= least && value.length <= most,
    /** A text that people compare with their eyes: nothing in it moves, hides or turns what is written beside it. */
    named: (least, most) => (value) => is.text(least, most)(value) && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value),
    whole: (least, most) => (value) => Number.isSafeInteger(value) && value >= least && value <= most,
    one: (...values) => (value) => values.includes(value),
    flag: (value) => typeof value === "boolean",
    day: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) && value > "0001" && !Number.isNaN(Date.parse(`${value}T00:00Z`)) && new Date(`${value}T00:00Z`).toISOString().slice(0, 10) === value,
    id: (value) => typeof value === "string" && /^[a-z0-9._-]{1,40}$/.test(value) && value !== "reporter" && value !== "recovery",
    recipient: (value) => typeof value === "string" && /^age1[02-9ac-hj-np-z]{58}$/.test(value),
    identity: (value) => typeof value === "string" && /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/.test(value),
    list: (one, least, most) => (value) => Array.isArray(value) && value.length >= least && value.length <= most && value.every((each) => one(each)),
    either: (...shapes) => (value) => shapes.some((fits) => fits(value)),
    object: (fields) => (value) => isObject(value) && fitsAll(value, fields),
    languages: (value) => isObject(value) && Object.keys(value).length >= 1 && Object.keys(value).length <= 12
      && Object.keys(value).every((name) => /^[a-z]{2}(-[A-Za-z]{2,8})?$/.test(name) && is.named(1, 120)(value[name])),
  };
  /** The form in which names that look the same are the same; alike() in surveys/signed.py says what does not count. */
  const alike = (name) => name.normalize("NFKC").replace(/[\u2800\u115f\u1160]/g, " ").replace(/[\u034f\u17b4\u17b5\u180b-\u180f\u2065\ufe00-\ufe0f\ufff0-\ufff8\u{e0000}-\u{e0fff}]/gu, "")
    .toUpperCase().toLowerCase().normalize("NFKC").split(/\s+/).filter(Boolean).join(" ");
  function fitsAll(value, fields) {
    const names = Object.keys(value);
    return names.length === Object.keys(fields).length && names.every((name) => Object.prototype.hasOwnProperty.call(fields, name) && fields[name](value[name]));
  }
  function shaped(value, fields, word = "letter_forged") {
    if (!isObject(value) || !fitsAll(value, fields)) no(word);
    return value;
  }

  // --- one strict signature: keys and points of small or mixed order sign nothing ---
  const known = new Map();
  function isPoint(text) {
    if (!known.has(text)) {
      let fine = false;
      try {
        const point = S.ed25519.Point.fromHex(text, false);
        fine = !point.isSmallOrder() && point.isTorsionFree();
      } catch (problem) { fine = false; }
      known.set(text, fine);
    }
    return known.get(text);
  }
  function isSigned(content, purpose, key, sig) {
    try {
      if (!is.hex(32)(key) || !is.hex(64)(sig) || !isPoint(key) || !isPoint(sig.slice(0, 64))) return false;
      return S.ed25519.verify(unhex(sig), utf8(`ascolto v2 ${purpose}\n${content}`), unhex(key), { zip215: false });
    } catch (problem) {
      return false;
    }
  }
  const publicOf = (seed) => hex(S.ed25519.getPublicKey(seed));
  const signature = (content, purpose, seed) => hex(S.ed25519.sign(utf8(`ascolto v2 ${purpose}\n${content}`), seed));
  function sign(body, purpose, seed) {
    const content = canonical(body);
    return canonical({ body: content, key: publicOf(seed), sig: signature(content, purpose, seed) });
  }
  function read(text, purpose, word = "letter_forged") {
    const outer = shaped(parse(text, word), { body: is.text(1, 2 ** 22), key: is.hex(32), sig: is.hex(64) }, word);
    if (!isSigned(outer.body, purpose, outer.key, outer.sig)) no(word);
    const body = parse(outer.body, word);
    if (!isObject(body)) no(word);
    return { body, text: outer.body, key: outer.key, hash: hash(outer.body) };
  }
  function signedByTwo(content, purpose, signatures, keys) {
    const there = new Set(keys.filter((key) => signatures.some((one) => one.key === key && isSigned(content, purpose, key, one.sig))));
    return there.size >= 2;
  }

  // --- the house: the anchor; half of its hash is on the poster ---
  const SEATS = { legal: is.hex(32), staff: is.hex(32), reserve: is.hex(32) };
  function readHouse(text, printed) {
    const body = shaped(parse(text, "house_other"), { v: is.one(2), install: is.hex(32), salt: is.hex(16), keys: is.object(SEATS) }, "house_other");
    const house = { ...body, hash: hash(text), text };
    house.printed = house.hash.slice(0, 32);
    if (printed && printed !== house.printed) no("house_other");
    return house;
  }
  // 128 bits as twelve words, with BIP39's check.
  function wordsOf(printed, list) {
    const bytes = unhex(printed);
    const value = (BigInt(`0x${printed}`) << 4n) | BigInt(S.sha256(bytes)[0] >> 4);
    return Array.from({ length: 12 }, (_, place) => list[Number((value >> BigInt(11 * (11 - place))) & 2047n)]);
  }
  const sixWords = (hash_, list) => wordsOf(hash_.slice(0, 32), list).slice(0, 6);

  // --- statements and rings ---
  const STATEMENT = { v: is.one(2), house: is.hex(32), id: is.id, name: is.named(1, 120), recipient: is.recipient, signer: is.hex(32), day: is.day };
  const RING = {
    v: is.one(2), house: is.hex(32), number: is.whole(1, 10000), before: is.hex(32), day: is.day, until: is.day, signers: is.object(SEATS),
    readers: is.list(is.object({ statement: is.text(1, 4000), role: is.languages, outside: is.flag }), 3, 6),
    recovery: is.list(is.object({ seat: is.one("a", "b", "c"), name: is.named(1, 120), recipient: is.recipient }), 0, 3),
  };
  const STILL = { v: is.one(2), house: is.hex(32), number: is.whole(1, 10000), hash: is.hex(32), day: is.day, until: is.day };
  function readStatement(text, house) {
    const found = read(text, "handler", "ring_broken");
    shaped(found.body, STATEMENT, "ring_broken");
    if (found.body.house !== house || found.body.signer !== found.key) no("ring_broken");
    return { ...found.body, hash: found.hash };
  }
  const days = (from, to) => (Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / 86400000;
  const lasts = (from, to) => days(from, to) >= 0 && days(from, to) <= 120;
  const different = (values) => new Set(values).size === values.length;
  function readRing(version, house, before) {
    const body = shaped(parse(version.text, "ring_broken"), RING, "ring_broken");
    const readers = body.readers.map((one) => ({ ...readStatement(one.statement, house.hash), role: one.role, outside: one.outside }));
    const signers = Object.values(body.signers);
    const inside = readers.filter((one) => !one.outside).length;
    const follows = before ? body.number === before.number + 1 && body.before === before.hash && body.day >= before.day : body.number === 1;
    const fine = body.house === house.hash && follows && lasts(body.day, body.until) && different(signers) && inside >= 2 && inside < readers.length
      && ["id", "recipient", "signer"].every((what) => different(readers.map((one) => one[what])))
      && (!body.recovery.length || (body.recovery.map((one) => one.seat).join("") === "abc" && different([...body.recovery, ...readers].map((one) => one.recipient))));
    if (!fine || !signedByTwo(version.text, "ring", version.signatures, Object.values(before ? before.signers : house.keys))) no("ring_broken");
    return { ...body, readers, hash: hash(version.text), reader: (id) => readers.find((one) => one.id === id) };
  }
  function readChain(versions, still, house) {
    const rings = [];
    for (const version of versions) rings.push(readRing(version, house, rings[rings.length - 1]));
    if (!rings.length) no("ring_broken");
    const newest = rings[rings.length - 1];
    if (still) {
      const body = shaped(parse(still.text, "ring_broken"), STILL, "ring_broken");
      const fine = body.house === house.hash && body.number === newest.number && body.hash === newest.hash && lasts(body.day, body.until);
      if (!fine || !signedByTwo(still.text, "still", still.signatures, Object.values(newest.signers))) no("ring_broken");
      if (body.until > newest.until) newest.until = body.until;
    }
    return { rings, newest, numbered: (number) => rings[number - 1] };
  }

  /** The first ring names the last keyring of version 1: by itself a keyring is anchored nowhere. */
  function vouched(chain, old) {
    if (chain.rings[0].before !== (old.length ? old[old.length - 1].fingerprint : NONE)) no("ring_broken");
    return chain;
  }

  return {
    NONE, no, vouched, canonical, mended, parse, tooDeep, is, alike, shaped, isSigned, publicOf, signature, sign, read, readHouse, wordsOf, sixWords, readStatement, readRing,
    readChain, different,
  };
})();
