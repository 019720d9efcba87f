// The answers are sent: nothing of them stays on the phone, nor the page that was kept for a time without a network.
localStorage.removeItem("ascolto-draft");
sessionStorage.removeItem("ascolto-token");
window.caches?.delete("ascolto-answer");
navigator.serviceWorker?.getRegistration("/answer").then((worker) => worker?.unregister());
