// Stands for the post-quantum and P-256 recipients that this product never makes: 17 KB less for an old phone.
export const MLKEM768P256 = {};
export const MLKEM768X25519 = {};
export const p256 = {};
