// What a handler's sign-in needs beside it: Argon2id, without WebAssembly.
export { argon2idAsync } from "@noble/hashes/argon2.js";
