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

// The fewest people of any planned group, crossed ones too, that all she has chosen puts her into; a code of no group: few.
// One line, beside what was changed last: a line of an earlier answer would say too much.
export function meter(page, known, field) {
  const names = new Set(known.meter.flatMap((view) => Object.keys(view.filter)));
  if (!names.has(field.name)) return;
  for (const line of page.form.querySelectorAll("[id^=meter-]")) line.remove();
  const given = new FormData(page.form);
  const has = (view) => Object.entries(view.filter).every(([name, codes]) => codes.includes(given.get(name)));
  const chosen = [...names].filter((name) => given.get(name) && given.get(name) !== "prefer_not");
  if (!chosen.length) return;
  const grouped = chosen.every((name) => known.meter.some((view) => view.filter[name]?.includes(given.get(name))));
  const least = grouped ? Math.min(...known.meter.filter(has).map((view) => view.people)) : 0;
  const n = new Intl.NumberFormat(page.language).format(least);
  note(field.closest("fieldset"), `meter-${field.name}`, known.texts[least ? "meter.like" : "meter.few"].replace("{n}", n));
}

export function hint(page, known, field) {
  const found = [...new Set(PATTERNS.flatMap((pattern) => field.value.match(pattern) || []))];
  note(field.closest("fieldset"), `hint-${field.name}`, found.length ? known.texts["hint.text"].replace("{parts}", found.slice(0, 6).join(" · ")) : "");
}
