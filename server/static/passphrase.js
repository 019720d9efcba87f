// A handler's passphrase is drawn, not chosen: six words of 2,048 (66 bits), shown once, two of them typed again.
"use strict";
const Passphrase = (() => {
  const { P, t, byId, make } = Keys;
  const COUNT = 6;
  let list = null;
  async function words() {
    if (!list) list = (await (await fetch(byId("desk-data").dataset.words)).text()).trim().split("\n");
    return list;
  }
  async function draw() {
    const [all, bytes] = [await words(), P.random(2 * COUNT)];
    return Array.from({ length: COUNT }, (_, place) => all[((bytes[2 * place] << 8) | bytes[2 * place + 1]) & 2047]);
  }
  // What somebody may have meant: drawn words as they were shown, then what she typed, letter by letter.
  async function readings(typed) {
    const [all, parts] = [await words(), typed.toLowerCase().trim().split(/[\s,-]+/)];
    const drawn = parts.length === COUNT && parts.every((word) => all.includes(word));
    return [...new Set(drawn ? [parts.join(" "), typed] : [typed])];
  }
  // The words, and fields for two of them. `text()` gives the passphrase once both are right.
  async function shown() {
    const drawn = await draw();
    const first = P.random(1)[0] % COUNT;
    const asked = [first, (first + 1 + (P.random(1)[0] % (COUNT - 1))) % COUNT].sort((a, b) => a - b);
    const fields = asked.map((place) => make("input", { type: "text", id: `word-${place + 1}`, required: true, autocomplete: "off", autocapitalize: "none" }));
    const element = make("div", { className: "drawn" }, make("ol", { className: "words", id: "six" }, ...drawn.map((word) => make("li", { textContent: word }))),
      ...asked.flatMap((place, index) => [make("label", { htmlFor: fields[index].id, textContent: t("door.drawn_word", { n: place + 1 }) }), fields[index]]));
    const right = () => asked.every((place, index) => fields[index].value.trim().toLowerCase() === drawn[place]);
    return { element, text: () => (right() ? drawn.join(" ") : null) };
  }
  return { readings, shown };
})();
