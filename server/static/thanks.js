// The answers are sent: nothing of them stays on the phone.
localStorage.removeItem("ascolto-draft");
