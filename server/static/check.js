// Looks for a code in the published list, on this device: the list is loaded whole and nothing is asked about one code.
const form = document.getElementById("check");
const result = form.querySelector("[role=status]");
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const say = (key) => (result.textContent = form.dataset[key]);

const sha = (content) => crypto.subtle.digest("SHA-256", content);
async function look(...digests) {
  const list = (await (await fetch(form.dataset.list, { credentials: "omit", referrerPolicy: "no-referrer" })).text()).split("\n");
  say(digests.some((digest) => list.includes(digest)) ? "found" : "missing");
}

form.hidden = false;
let sent = null;
try {
  sent = JSON.parse(localStorage.getItem("ascolto-sent"))?.[form.dataset.wave];
} catch {
  sent = null;
}
if (sent) {
  const button = Object.assign(document.createElement("button"), { type: "button", id: "mine", textContent: form.dataset.phone });
  button.addEventListener("click", () => look(sent));
  form.append(button);
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const slip = form.elements.code.value.toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  const proof = await sha(new TextEncoder().encode(slip)); // the list holds its digest; of waves of version 1 itself
  await look(hex(proof), hex(await sha(proof)));
});
