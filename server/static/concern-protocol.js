// What a concern report is made of, the same as surveys/cases in Python: codes, keys, age files; and how cases of version 1 are
// still read and answered. Version 2 is in signed.js and fold.js.
// Nothing here touches the page or the network.
"use strict";
const Protocol = (() => {
  const S = Sealing;
  const utf8 = (text) => new TextEncoder().encode(text);
  // a byte order mark stays and is refused as any other byte: taken off, it would be read here and not by Python
  const text = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const unhex = (digits) => Uint8Array.from(digits.match(/../g) || [], (pair) => parseInt(pair, 16));
  const random = (length) => crypto.getRandomValues(new Uint8Array(length));
  const hash = (content) => hex(S.sha256(typeof content === "string" ? utf8(content) : content));

  function base64(bytes) {
    let binary = "";
    for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(binary);
  }
  const unbase64 = (content) => Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));

  // --- the code: 84 bits as eight words or 28 digits ---
  const FIRST = "0".repeat(64);
  class NotACode extends Error {}
  class CannotOpen extends Error {}

  function number(bytes) {
    return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }
  function secretBytes(value) {
    return unhex(value.toString(16).padStart(22, "0"));
  }
  function newCode() {
    return secretBytes(number(random(11)) >> 4n);
  }
  function check(secret, bits) {
    const digest = S.sha256(new Uint8Array([...utf8("ascolto code"), ...secret]));
    return BigInt((digest[0] << 8) | digest[1]) >> BigInt(16 - bits);
  }
  function toWords(secret, list) {
    const value = (number(secret) << 4n) | check(secret, 4);
    return Array.from({ length: 8 }, (_, place) => list[Number((value >> BigInt(11 * (7 - place))) & 2047n)]);
  }
  function toDigits(secret) {
    const value = (number(secret) << 9n) | check(secret, 9);
    return value.toString().padStart(28, "0").match(/.{4}/g);
  }
  /** The value of a decimal digit of any script: each script's ten follow one another, from its zero on. */
  function digit(character) {
    const at = character.codePointAt(0);
    let zero = at;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return (at - zero) % 10;
  }
  /** A text with the digits of every script as ours: Arabic phones type ٤. */
  const decimals = (content) => content.replace(/\p{Nd}/gu, digit);
  function readCode(written, list) {
    const typed = decimals(written);
    let value, bits;
    if (/\d/.test(typed) && !/\p{L}/u.test(typed)) {
      const digits = typed.replace(/\D/g, "");
      if (digits.length !== 28) throw new NotACode("digits");
      [value, bits] = [BigInt(digits), 9];
    } else {
      const words = typed.toLowerCase().split(/[^\p{L}]+/u).filter(Boolean);
      if (words.length !== 8) throw new NotACode("words");
      const places = new Map(list.map((word, place) => [word.slice(0, 4), place]));
      value = 0n;
      for (const word of words) {
        const place = places.get(word.slice(0, 4));
        if (place === undefined) throw new NotACode("word");
        value = (value << 11n) | BigInt(place);
      }
      bits = 4;
    }
    const plain = value >> BigInt(bits);
    if (plain >> 84n) throw new NotACode("size");
    const secret = secretBytes(plain);
    if ((value & ((1n << BigInt(bits)) - 1n)) !== check(secret, bits)) throw new NotACode("check");
    return secret;
  }

  // Whether a text carries this code, as words (four letters are enough) or as digits: whoever reads it could open the thread.
  function holdsCode(content, secret, list) {
    if (!secret) return false;
    const digits = decimals(content.replace(/\P{Nd}/gu, ""));
    if (digits.includes(toDigits(secret).join(""))) return true;
    if (!list) return false; // words were never shown on this page
    const wanted = toWords(secret, list).map((word) => word.slice(0, 4)).join(" ");
    return ` ${content.toLowerCase().split(/[^\p{L}]+/u).filter(Boolean).map((word) => word.slice(0, 4)).join(" ")} `.includes(` ${wanted} `);
  }

  async function derive(secret, salt) {
    const seed = await pbkdf2(secret, unhex(salt), 310000);
    const key = (label) => S.hkdf(S.sha256, seed, undefined, utf8(`ascolto concern v1 ${label}`), 32);
    const [x25519, ed25519] = [key("x25519"), key("ed25519")];
    const second = (label) => S.hkdf(S.sha256, seed, undefined, utf8(`ascolto concern v2 ${label}`), 32);
    return {
      oldCase: ((number(key("case").subarray(0, 8)) >> 1n).toString(16)).padStart(16, "0"),
      thread: identityOf(second("epoch thread 1")), diary: identityOf(second("epoch diary 1")), head: second("head"),
      locator: hex(key("locator")), auth: hex(key("auth")), ed25519,
      identity: identityOf(x25519), recipient: recipientOf(x25519), signer: hex(S.ed25519.getPublicKey(ed25519)),
    };
  }
  async function pbkdf2(secret, salt, rounds) {
    if (!crypto.subtle) return S.pbkdf2Async(S.sha256, secret, salt, { c: rounds, dkLen: 32 });
    const key = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
    const bits = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds }, key, 256);
    return new Uint8Array(bits);
  }
  const identityOf = (seed) => S.bech32.encodeFromBytes("AGE-SECRET-KEY-", seed).toUpperCase();
  const recipientOf = (seed) => S.bech32.encodeFromBytes("age", S.x25519.getPublicKey(seed));
  function newIdentity() {
    const seed = random(32);
    return { identity: identityOf(seed), recipient: recipientOf(seed) };
  }

  // --- age files and signed texts ---
  async function encrypt(bytes, recipient) {
    const encrypter = new S.Encrypter();
    encrypter.addRecipient(recipient);
    return encrypter.encrypt(bytes);
  }
  // One X25519 stanza and no other: a second way in would be a letter that some read and others do not.
  const HEADER = /^age-encryption\.org\/v1\n-> X25519 [A-Za-z0-9+/]{43}\n[A-Za-z0-9+/]{43}\n--- [A-Za-z0-9+/]{43}\n/;
  async function decryptOurs(sealed, identity) {
    if (!HEADER.test(String.fromCharCode(...sealed.subarray(0, 200)))) throw new CannotOpen("age");
    return decrypt(sealed, identity);
  }
  async function decrypt(sealed, identity) {
    const decrypter = new S.Decrypter();
    decrypter.addIdentity(identity);
    try {
      return await decrypter.decrypt(sealed, "uint8array");
    } catch (problem) {
      throw new CannotOpen("age");
    }
  }
  function bucket(length, smallest) {
    let size = smallest;
    while (size < length) size *= 2;
    return size;
  }
  function padded(bytes, smallest, filler) {
    const whole = new Uint8Array(bucket(bytes.length, smallest)).fill(filler);
    whole.set(bytes);
    return whole;
  }
  function canonical(value) {
    const sorted = (content) => content && typeof content === "object" && !Array.isArray(content)
      ? Object.fromEntries(Object.keys(content).sort().map((name) => [name, sorted(content[name])]))
      : Array.isArray(content) ? content.map(sorted) : content;
    return JSON.stringify(sorted(value));
  }
  function sign(body, purpose, seed) {
    const content = canonical(body);
    const sig = S.ed25519.sign(utf8(`ascolto ${purpose} v1\n${content}`), seed);
    return canonical({ body: content, key: hex(S.ed25519.getPublicKey(seed)), sig: hex(sig) });
  }
  function isSigned(content, signature, key) {
    try {
      return S.ed25519.verify(unhex(signature), utf8(content), unhex(key), { zip215: false });
    } catch (problem) {
      return false;
    }
  }
  const seal = (signed, recipient, smallest = 4096) => encrypt(padded(utf8(signed), smallest, 32), recipient);
  async function openSealed(sealed, identity, purpose) {
    let outer;
    try {
      const plain = text(await decrypt(sealed, identity));
      outer = JSON.parse(plain);
      if ([plain, outer.body].some(Signed.tooDeep)) throw new CannotOpen("seal"); // Python's reader ends where a browser's goes on
    } catch (problem) {
      throw new CannotOpen("seal");
    }
    if (!isSigned(`ascolto ${purpose} v1\n${outer.body}`, outer.sig, outer.key)) throw new CannotOpen("signature");
    return { body: JSON.parse(outer.body), text: outer.body, key: outer.key };
  }

  // --- the keyring: two signatures, each version after the one before ---
  function readKeyrings(versions) {
    const read = [];
    for (const version of versions) {
      const ring = JSON.parse(version.text);
      ring.fingerprint = hash(version.text);
      const before = read[read.length - 1];
      const signers = [...ring.signers, ...(before ? before.signers : [])];
      const follows = before ? ring.before === before.fingerprint && ring.number === before.number + 1 : ring.number === 1;
      const two = ring.signers.length === 2 && ring.signers[0].key !== ring.signers[1].key;
      const signed = signers.every((signer) => version.signatures.some((signature) => isSigned(`ascolto keyring v1\n${version.text}`, signature, signer.key)));
      if (!follows || !two || !signed) throw new CannotOpen("keyring");
      read.push(ring);
    }
    return read;
  }
  function signersOf(keyrings) {
    const keys = Object.create(null);
    for (const ring of keyrings) for (const reader of ring.readers) (keys[reader.id] = keys[reader.id] || new Set()).add(reader.signer);
    return keys;
  }

  // --- epochs, wraps, messages ---
  async function openWrap(sealed, identity, caseId, stream, handlers) {
    const { body, key } = await openSealed(sealed, identity, "wrap");
    const vouched = body.by === "reporter" ? key === body.reporter : (handlers[body.by] || new Set()).has(key);
    if (body.case !== caseId || body.stream !== stream || !vouched) throw new CannotOpen("wrap");
    return body;
  }
  function write(place, author, kind, day, keyring, content) {
    return sign({ ...content, v: 1, case: place.case, stream: place.stream, number: place.number, before: place.before, from: author.name, kind, day, keyring }, "message", author.seed);
  }
  const hashOf = (signed) => signed.body.kind === "redacted" && typeof signed.body.was === "string" ? signed.body.was : hash(signed.text);
  const KINDS = {
    reporter: ["report", "message", "meeting", "consent", "contest", "retaliation", "diary"],
    handler: ["acknowledge", "message", "question", "forward", "outcome", "redacted", "note", "triage", "rekeyed"],
  };
  function checkMessage(signed, place, trust) {
    const { body, key } = signed;
    if (body.case !== place.case || body.stream !== place.stream || body.number !== place.number || body.before !== place.before) throw new CannotOpen("place");
    const mine = body.from === "reporter";
    if (typeof body.from !== "string") throw new CannotOpen("author");
    if (mine ? key !== trust.reporter : !(trust.handlers[body.from] || new Set()).has(key)) throw new CannotOpen("author");
    if (!KINDS[mine ? "reporter" : "handler"].includes(body.kind) || !Signed.is.day(body.day)) throw new CannotOpen("kind");
    return { number: place.number, from: body.from, kind: body.kind, day: body.day, body, hash: hashOf(signed) };
  }
  async function readStream(caseId, stream, messages, keys, trust) {
    const opened = [];
    let before = FIRST;
    for (const message of messages) {
      const key = keys[message.epoch];
      if (!key) throw new CannotOpen("epoch");
      const signed = await openSealed(unbase64(message.sealed), key, "message");
      opened.push(checkMessage(signed, { case: caseId, stream, number: opened.length + 1, before }, trust));
      before = opened[opened.length - 1].hash;
    }
    return opened;
  }
  // Open all streams of a case of version 1. The number and the signer come from the code (a handler has none and can only
  // hold the wraps against each other); the recipient of each epoch is derived from its private half.
  async function readCase(file, identity, handlers, caseId, signer) {
    const keys = {};
    const recipients = {};
    let reporter = signer;
    if (file.case !== caseId) throw new CannotOpen("place");
    for (const epoch of file.epochs) {
      const wrap = await openWrap(unbase64(epoch.wrap), identity, file.case, epoch.stream, handlers);
      reporter = reporter || wrap.reporter;
      if (wrap.reporter !== reporter || wrap.number !== epoch.number) throw new CannotOpen("reporter");
      (keys[epoch.stream] = keys[epoch.stream] || {})[epoch.number] = wrap.identity;
      recipients[epoch.stream] = { number: epoch.number, recipient: recipientOf(S.bech32.decodeToBytes(wrap.identity).bytes) };
    }
    const streams = {};
    for (const stream of Object.keys(keys)) {
      const messages = file.messages.filter((message) => message.stream === stream);
      streams[stream] = await readStream(file.case, stream, messages, keys[stream], { reporter, handlers });
    }
    return { streams, keys, recipients, reporter };
  }
  function nextPlace(caseId, stream, opened) {
    return { case: caseId, stream, number: opened.length + 1, before: opened.length ? opened[opened.length - 1].hash : FIRST };
  }

  // --- attachments: each under a key of its own, which travels in the message ---
  async function sealFile(name, type, bytes) {
    const made = newIdentity();
    const sealed = await encrypt(padded(bytes, 16384, 0), made.recipient);
    return { sealed, entry: { upload: hex(random(16)), name, type, size: bytes.length, identity: made.identity, sha256: hash(sealed) } };
  }
  async function openFile(sealed, entry) {
    if (hash(sealed) !== entry.sha256) throw new CannotOpen("file");
    return (await decrypt(sealed, entry.identity)).subarray(0, entry.size);
  }

  // A little work when many arrive at once: the server says how many bits; none on a normal day.
  async function work(caseId, bits) {
    for (let nonce = 0; ; nonce += 1) {
      const digest = S.sha256(utf8(`${caseId}:${nonce}`));
      let zeros = 0;
      for (const byte of digest) {
        zeros += byte ? Math.clz32(byte) - 24 : 8;
        if (byte) break;
      }
      if (zeros >= bits) return String(nonce);
      if (nonce % 2000 === 1999) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  return {
    FIRST, NotACode, CannotOpen, base64, unbase64, hex, unhex, utf8, text, random, hash, newCode, toWords, toDigits, decimals, readCode, derive,
    newIdentity, identityOf, recipientOf, encrypt, decrypt, decryptOurs, sign, isSigned, seal, openSealed, canonical, readKeyrings, signersOf,
    openWrap, write, holdsCode, readStream, readCase, nextPlace, sealFile, openFile, work,
  };
})();
