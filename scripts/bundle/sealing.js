// What the browser needs to seal and open concern reports: age files for X25519, Ed25519, HKDF, PBKDF2, SHA-256.
export { Decrypter, Encrypter } from "age-encryption";
export { ed25519, x25519 } from "@noble/curves/ed25519.js";
export { hkdf } from "@noble/hashes/hkdf.js";
export { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
export { sha256 } from "@noble/hashes/sha2.js";
export { bech32 } from "@scure/base";
