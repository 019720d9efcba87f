// What in a text could point at one person: in the scripts of all nine languages, whatever the page speaks. On this device only.
"use strict";
const Signs = (() => {
  const EDGE = "(?<![\\p{L}\\p{M}\\p{N}])";
  const END = "(?![\\p{L}\\p{M}\\p{N}])";
  const N = "\\p{Nd}"; // digits of every script: 7, ٧, ۷
  const HAN = `[${N}一二两三四五六七八九十]{1,3}`;
  const alone = [
    "solo io", "sola io", "io sol[oa]", "l[’']unic[oa]", "unic[oa]", "(?:la|il) sol[oa]", // it
    "only (?:me|one|man|woman)", "the only", "just me", // en
    "(?:la|le) seule?", "seule?", "l[’']unique", "que moi", // fr
    "únic[oa]s?", "sol[oa] yo", "yo sol[oa]", // es
    "singur(?:a|ă|ul)?", "(?:doar|numai) eu", // ro
    "єдин\\p{L}+", "(?:тільки|лише) я", // uk
    "[يوالب]*الوحيد[ةه]?", "وحدي", "(?:أنا|انا) فقط", "فقط (?:أنا|انا)", // ar
    "[ei] vetm(?:ja|i|e|en|in)", "vetëm unë", "vetem une", // sq
  ];
  const hours = "ore|alle|at|a las|las|à|ora|orele|la ora|orën|në orën|о|об|до|الساعة";
  const signs = (months) => [
    ["hour", `${EDGE}${N}{1,4}[/.\\-／؍]${N}{1,2}(?:[/.\\-／؍]${N}{2,4})?${END}|${EDGE}${N}{1,2}[:：٫.]${N}{2}${END}`],
    ["hour", `${EDGE}(?:${hours})\\s+${N}{1,2}${END}|${EDGE}${N}{1,2}\\s?(?:h|am|pm|год)${N}{0,2}${END}|${HAN}[月点點时時日号號]`],
    ["hour", `${EDGE}${N}{1,2}(?:\\.|er|º)?\\s+(?:${months.join("|")})${END}`],
    ["contact", `[\\p{L}\\p{N}._%+-]+@[\\p{L}\\p{N}.-]+\\.\\p{L}{2,}|[+＋]?${N}(?:[ ./()-]?${N}){6,}`],
    ["alone", `${EDGE}(?:${alone.join("|")})${END}|唯一|[只仅就]有?我一?个?`],
    ["name", "(?<=[\\p{Ll},;:] )\\p{Lu}\\p{Ll}+(?:[ -]\\p{Lu}\\p{Ll}+)*|\\p{Lu}\\p{Ll}+(?: \\p{Lu}\\p{Ll}+)+"],
  ].map(([kind, sign]) => [kind, new RegExp(sign, kind === "name" ? "gu" : "giu")]);
  // "{d} de noviembre de {y}" → "de noviembre"
  const month = (form) => form.split("{y}").find((part) => part.includes("{d}"))?.split("{d}")[1].trim().split(" ").filter((word, at, all) => at < all.length - 1 || word.length > 2).join(" ");

  function find(text, places, months) {
    const found = new Map();
    const names = months.map(month).filter((name) => name && /\p{L}{3}/u.test(name));
    for (const [kind, sign] of signs(names.length ? names : ["—"])) for (const match of text.matchAll(sign)) if (!found.has(match[0])) found.set(match[0], kind);
    for (const [name, band] of places) if (text.toLowerCase().includes(name.toLowerCase())) found.set(`${name} (${band})`, "place");
    return [...found].slice(0, 12);
  }
  // Names are known by their capitals: not in a script that has none, nor where somebody writes all letters alike.
  const seesNames = (text) => !/\p{Lo}/u.test(text) && (!/\p{L}/u.test(text) || (/\p{Lu}/u.test(text) && /\p{Ll}/u.test(text)));
  return { find, seesNames };
})();
