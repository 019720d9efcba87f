// RSABSSA-SHA384-PSS-Randomized (RFC 9474), as in surveys/blind.py; the last argument is for the RFC's vectors.
const RSA = { name: "RSA-PSS", hash: "SHA-384" };
const random = (length) => crypto.getRandomValues(new Uint8Array(length));
const digest = async (bytes) => new Uint8Array(await crypto.subtle.digest(RSA.hash, bytes));
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const number = (bytes) => [...bytes].reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

function bytesOf(value, length) {
  const bytes = new Uint8Array(length);
  for (let i = length; i; value >>= 8n) bytes[(i -= 1)] = Number(value & 255n);
  return bytes;
}

// Only the one kind of key: another could mark the person it was given to.
async function read(spki, bits) {
  const key = await crypto.subtle.importKey("spki", spki, RSA, true, ["verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", key);
  const binary = atob(jwk.n.replace(/-/g, "+").replace(/_/g, "/"));
  const n = number([...binary].map((letter) => letter.charCodeAt(0)));
  if (jwk.e !== "AQAB" || n.toString(2).length !== bits) throw new Error("key");
  return { key, n, length: bits / 8 };
}

// EMSA-PSS (RFC 8017, 9.1.1) for a modulus of whole bytes.
async function encode(message, length, salt) {
  const hashed = await digest(join(new Uint8Array(8), await digest(message), salt));
  const block = join(new Uint8Array(length - salt.length - 50), [1], salt);
  for (let at = 0; at < block.length; at += 48) {
    const mask = await digest(join(hashed, [0, 0, 0, at / 48]));
    mask.forEach((byte, i) => (block[at + i] ^= byte));
  }
  block[0] &= 127;
  return number(join(block, hashed, [188]));
}

// By Euclid; 0 if there is none.
function invert(value, n) {
  let [a, b, x, y] = [n, value, 0n, 1n];
  while (b) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return a === 1n ? (x + n) % n : 0n;
}

export async function blind(spki, { bits = 3072, prepared = random(64), salt = random(48), draw = random } = {}) {
  const { n, length } = await read(spki, bits);
  let r, inverse;
  do {
    r = number(draw(length)); // not reduced: a remainder would not be uniform
    inverse = r < n && invert(r, n);
  } while (!inverse);
  let z = r;
  for (let i = 0; i < 16; i += 1) z = (z * z) % n;
  z = (((z * r) % n) * (await encode(prepared, length, salt))) % n;
  return { prepared, z: bytesOf(z, length), inverse: bytesOf(inverse, length) };
}

// The token; throws if this is not a signature of the key.
export async function finalize(spki, prepared, signed, inverse, { bits = 3072, saltLength = 48 } = {}) {
  const { key, n, length } = await read(spki, bits);
  if (signed.length !== length) throw new Error("length");
  const signature = bytesOf((number(signed) * number(inverse)) % n, length);
  if (!(await crypto.subtle.verify({ ...RSA, saltLength }, key, signature, prepared))) throw new Error("signature");
  const text = btoa(String.fromCharCode(...prepared, ...signature));
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}
