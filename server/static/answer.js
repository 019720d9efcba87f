// Only adds: the form works without it. Nothing is kept on the phone unless she says it is hers.
const form = document.getElementById("sheet");
const KEY = "ascolto-draft";
const DAY = 24 * 60 * 60 * 1000;

// A code in the address (from a QR) moves into its field and leaves the address bar at once.
const fragment = decodeURIComponent(location.hash.slice(1));
if (/^[0-9A-Za-z -]{16,24}$/.test(fragment) && !document.getElementById(fragment)) {
  document.getElementById("code").value = fragment;
  history.replaceState(null, "", location.pathname + location.search);
}

document.getElementById("phone").hidden = false;
const own = () => form.elements._phone.value === "own";

function keep() {
  if (!own()) {
    localStorage.removeItem(KEY);
    return;
  }
  const answers = [...new FormData(form)].filter(([name]) => !["_lang", "_attempt"].includes(name));
  const attempt = form.elements._attempt.value;
  localStorage.setItem(KEY, JSON.stringify({ until: Date.now() + DAY, attempt, answers }));
}

function bringBack() {
  let draft = null;
  try {
    draft = JSON.parse(localStorage.getItem(KEY));
  } catch {
    draft = null;
  }
  if (!draft || draft.until < Date.now() || form.querySelector("input[type=radio]:checked:not([value=''])")) {
    if (!draft || draft.until < Date.now()) localStorage.removeItem(KEY);
    return;
  }
  for (const [name, value] of draft.answers) {
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === "radio" || field.type === "checkbox") field.checked ||= field.value === value;
      else if (field.type !== "hidden") field.value = value;
    }
  }
  form.elements._attempt.value = draft.attempt; // the same form: sending it twice counts once
}

bringBack();
form.addEventListener("change", keep);

form.addEventListener("submit", (event) => {
  if (navigator.onLine || event.submitter?.hasAttribute("formaction")) return;
  event.preventDefault();
  document.getElementById("offline").textContent = form.dataset.offline;
  addEventListener("online", () => form.requestSubmit(), { once: true });
});
