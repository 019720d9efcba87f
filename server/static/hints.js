// Beside the questions about oneself: how many people are alike. Beside a text: what may name somebody. On this phone only.
const PATTERNS = [
  /[\p{L}\d._%+-]+@[\p{L}\d.-]+\.\p{L}{2,}/gu,
  /\+?\d[\d ./-]{6,}\d/gu,
  /\b\d{1,2}[:.]\d{2}\b/gu,
  /(?<=[\p{Ll}\d,;:] )\p{Lu}\p{Ll}{2,}/gu,
  /\b(solo io|sola io|l[’']unic[ao]|only (me|one)|the only|doar eu|singur[aă]?|vetëm unë|seul[e]?|única?|єдин\p{L}+)\b/giu,
];

function note(after, id, sentence) {
  let line = document.getElementById(id);
  if (!line) {
    line = Object.assign(document.createElement("p"), { id, className: "quiet" });
    line.setAttribute("role", "status");
    after.append(line);
  }
  line.textContent = sentence;
}

// The fewest people of any planned group that what she has chosen puts her into.
export function meter(page, known, field) {
  const names = new Set(known.meter.flatMap((view) => Object.keys(view.filter)));
  if (!names.has(field.name)) return;
  const given = new FormData(page.form);
  const mine = known.meter.filter((view) => Object.entries(view.filter).every(([name, codes]) => codes.includes(given.get(name))));
  const least = Math.min(...mine.map((view) => view.people));
  const n = new Intl.NumberFormat(page.language).format(least);
  note(field.closest("fieldset"), `meter-${field.name}`, known.texts[least ? "meter.like" : "meter.few"].replace("{n}", n));
}

export function hint(page, known, field) {
  const found = [...new Set(PATTERNS.flatMap((pattern) => field.value.match(pattern) || []))];
  note(field.closest("fieldset"), `hint-${field.name}`, found.length ? known.texts["hint.text"].replace("{parts}", found.slice(0, 6).join(" · ")) : "");
}
