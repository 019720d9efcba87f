// What this device remembers for a handler, sealed to her own key: the house, the newest list, and how far each case had come.
// A thread that is shorter, forked or gone is told; an older list too. Another device remembers nothing: compare with a colleague.
"use strict";
const Memory = (() => {
  const { P } = Keys;
  const name = (id) => `ascolto.desk.${id}`;
  let kept = null;
  async function load(id, keys) {
    kept = { house: "", ring: 0, cases: {} };
    const stored = localStorage.getItem(name(id));
    if (!stored) return kept;
    try {
      kept = JSON.parse(P.text(await P.decrypt(P.unbase64(stored), keys.identity)));
    } catch (problem) {
      if (!(problem instanceof P.CannotOpen)) throw problem;
    }
    return kept;
  }
  async function keep(id, keys) {
    localStorage.setItem(name(id), P.base64(await P.encrypt(P.utf8(JSON.stringify(kept)), keys.recipient)));
  }
  // Gives the word of what is wrong, or nothing; what fits is remembered.
  function checkLists(house, chain) {
    if (kept.house && kept.house !== house.hash) return "house_other";
    if (chain.newest.number < kept.ring) return "ring_old";
    kept.house = house.hash;
    kept.ring = chain.newest.number;
    return "";
  }
  const went = (before, now) => (before.some((head, place) => now[place] !== head) ? (now.length < before.length ? "shorter" : "fork") : "");
  // Gives what is wrong with the thread, and writes what is wrong with the notes beside them: each is remembered as far as it fits.
  function checkCase(opened) {
    const { fold } = opened;
    const before = Object.prototype.hasOwnProperty.call(kept.cases, fold.case) ? kept.cases[fold.case] : { start: fold.start, heads: [] };
    const word = before.start === fold.start ? went(before.heads, fold.heads) : "fork";
    if (word) return word;
    const stay = (before.notes || []).filter((one) => !fold.voidEpochs.has(one.epoch));
    const notes = opened.notes.map((one) => ({ epoch: one.head.epoch, head: one.hash }));
    opened.notesProblem = opened.notesProblem || went(stay.map((one) => one.head), notes.map((one) => one.head));
    kept.cases[fold.case] = { start: fold.start, heads: fold.heads, epoch: fold.epoch, notes: opened.notesProblem ? stay : notes };
    return "";
  }
  // A case of version 1 begins as it began on this device, and none becomes one: the server names those that were there at the update.
  function checkFirst(id, heads) {
    const before = Object.prototype.hasOwnProperty.call(kept.cases, id) ? kept.cases[id] : { first: true, heads: [] };
    const word = before.first ? went(before.heads, heads) : "fork";
    if (!word) kept.cases[id] = { first: true, start: "", heads, notes: [] };
    return word;
  }
  const vanished = (there) => Object.keys(kept.cases).filter((one) => !there.includes(one));
  const forget = (one) => { delete kept.cases[one]; };
  return { load, keep, checkLists, checkCase, checkFirst, vanished, forget };
})();
