// A sheet sealed on the phone to any two of three holders, under the plan that her slip or link names: surveys/answers/pairs.py.
const utf8 = (text) => new TextEncoder().encode(text);
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (digits) => Uint8Array.from(digits.match(/../g) || [], (pair) => parseInt(pair, 16));
const digest = async (content) => new Uint8Array(await crypto.subtle.digest("SHA-256", content));
const CURVE = { name: "ECDH", namedCurve: "P-256" };
const SEALED = 8060;
const PAIRS = [[0, 1], [0, 2], [1, 2]];

function join(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((place, part) => (all.set(part, place), place + part.length), 0);
  return all;
}

// The plan as served; what the slip or the link carries of its hash decides whether it is the right one.
export async function planOf(text, mark) {
  const hash = hex(await digest(utf8(text)));
  if (mark && !hash.startsWith(mark)) throw new Error("plan_other");
  const content = JSON.parse(text);
  const points = content.holders.map((holder) => unhex(JSON.parse(JSON.parse(holder).body).point));
  return { hash, points, token: content.token, wave: content.wave };
}

// The digest of the code or token that a sheet is sent with: sealed inside, while the server keeps only the digest of it.
export async function proofOf(code) {
  if (code.length > 100) return digest(Uint8Array.from(atob(code.trim().replace(/-/g, "+").replace(/_/g, "/")), (l) => l.charCodeAt(0)).slice(0, 64));
  return digest(utf8(code.toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1")));
}
export const listed = async (proof) => hex(await digest(proof));

const encrypt = async (raw, content, additionalData) => {
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  const how = { name: "AES-GCM", iv: new Uint8Array(12), ...(additionalData ? { additionalData } : {}) };
  return new Uint8Array(await crypto.subtle.encrypt(how, key, content));
};

// `fixed` holds a key pair and a sheet key for tests alone.
export async function seal(content, proof, plan, fixed) {
  const once = fixed?.once || (await crypto.subtle.generateKey(CURVE, true, ["deriveBits"]));
  const raw = fixed?.point || new Uint8Array(await crypto.subtle.exportKey("raw", once.publicKey));
  const point = join([2 + (raw[64] & 1)], raw.subarray(1, 33));
  const key = fixed?.key || crypto.getRandomValues(new Uint8Array(32));
  const shared = await Promise.all(plan.points.map(async (holder) => {
    const theirs = await crypto.subtle.importKey("raw", holder, CURVE, false, []);
    return new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, once.privateKey, 256));
  }));
  const wraps = join(...(await Promise.all(PAIRS.map(async ([i, j]) => {
    const secret = await crypto.subtle.importKey("raw", join(shared[i], shared[j]), "HKDF", false, ["deriveBits"]);
    const info = join(utf8("ascolto envelope v2"), point, plan.points[i], plan.points[j]);
    const how = { name: "HKDF", hash: "SHA-256", salt: unhex(plan.hash), info };
    return encrypt(new Uint8Array(await crypto.subtle.deriveBits(how, secret, 256)), key);
  }))));
  const head = join([2], point, wraps);
  const plain = new Uint8Array(SEALED - head.length - 16);
  if (content.length > plain.length - 34) throw new Error("large");
  plain.set([content.length >> 8, content.length & 255]);
  plain.set(proof, 2);
  plain.set(content, 34);
  return join(head, await encrypt(key, plain, join(unhex(plan.hash), point, wraps)));
}
