// Another language without the server reading along: the empty page comes in it, and what was chosen is filled in here.
function fetched(address) {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest(); // it parses a page without a script of it running
    asked.open("GET", address);
    asked.responseType = "document";
    asked.onload = () => (asked.status === 200 && asked.response ? resolve(asked.response) : reject(new Error(String(asked.status))));
    asked.onerror = () => reject(new Error("away"));
    asked.send();
  });
}

export async function speak(page, language, place) {
  const address = `/answer?lang=${encodeURIComponent(language)}&wave=${encodeURIComponent(page.form.elements._wave.value)}`;
  const there = await fetched(address);
  const next = there.getElementById("sheet");
  if (!next || next.elements._wave.value !== page.form.elements._wave.value) throw new Error("another page");
  for (const field of page.form.elements) {
    if (!field.name || field.name === "_lang" || field.name === "_wave" || field.localName === "button") continue;
    for (const same of next.querySelectorAll(`[name="${CSS.escape(field.name)}"]`)) {
      if (field.type === "radio" || field.type === "checkbox") {
        if (same.value === field.value) same.checked = field.checked;
      } else same.value = field.value;
    }
  }
  const kept = page.code.value;
  for (const name of ["link", "later", "hints", "speak"]) next.dataset[name] += `?lang=${language}`; // they remember sentences
  page.blank();
  document.title = there.title;
  document.documentElement.lang = there.documentElement.lang;
  document.documentElement.dir = there.documentElement.dir;
  document.body.replaceWith(document.adoptNode(there.body));
  history.replaceState(null, "", address);
  document.getElementById("code").removeAttribute("maxlength");
  document.getElementById("code").value = kept;
  await page.start(language);
  location.hash = place;
}
