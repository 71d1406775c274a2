"use strict";
const violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(`${event.violatedDirective} ${event.blockedURI}`));
let token = new URLSearchParams(location.hash.slice(1)).get("t");
if (token) sessionStorage.setItem("token", token);
else token = sessionStorage.getItem("token");
history.replaceState(null, "", location.pathname);

async function post(command, body = {}) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const response = await fetch(`/bridge/${command}`, { method: "POST", headers, body: JSON.stringify(body) });
  return response.json();
}

/** What the window lets this page see and do. */
function report() {
  return {
    violations,
    secure: isSecureContext,
    bridge: typeof window.pywebview,
    channel: typeof window.qt,
    handlers: typeof window.webkit?.messageHandlers?.jsBridge,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    ground: getComputedStyle(document.body).backgroundColor,
    token: Boolean(token),
    address: location.href,
  };
}

document.getElementById("choose").addEventListener("click", async () => {
  document.getElementById("chosen").textContent = JSON.stringify(await post("choose_model_file"));
});
document.getElementById("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText("copied by a click");
  document.getElementById("copy").textContent = "Copied";
});
requestAnimationFrame(() => {
  document.getElementById("state").textContent = "ready";
  document.documentElement.dataset.ready = "yes";
  post("report", report());
});
