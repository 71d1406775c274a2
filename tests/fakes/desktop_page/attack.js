// A script that got into the page tries to take the window elsewhere. `foreign` is put before these lines.
const pause = () => new Promise((resolve) => setTimeout(resolve, 60));

function element(name, attributes, parent = document.body) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

const attempts = {
  location: (url) => { location.href = url; },
  replace: (url) => location.replace(url),
  "scripted click": (url) => element("a", { href: url }).click(),
  "scripted click on a link that leaves": (url) => element("a", { href: url, target: "_blank" }).click(),
  popup: (url) => window.open(url),
  "popup over this page": (url) => window.open(url, "_self"),
  frame: (url) => element("iframe", { src: url }),
  object: (url) => element("object", { data: url }),
  refresh: (url) => element("meta", { "http-equiv": "refresh", content: `0;url=${url}` }, document.head),
  "form by GET": (url) => element("form", { action: url }).submit(),
  "form by POST": (url) => element("form", { action: url, method: "post" }).submit(),
};
const targets = [
  `${foreign}/stolen`,
  foreign.replace("http://", `http://${location.host}@`) + "/stolen",
  "data:text/html,<h1>stolen</h1>",
  "file:///etc/passwd",
  "javascript:document.title='stolen'",
  "ms-settings:about",
  "blob:null/00000000-0000-0000-0000-000000000000",
];

(async () => {
  const refused = [];
  for (const target of targets) {
    for (const [name, attempt] of Object.entries(attempts)) {
      if (target.startsWith("javascript:") && !["frame", "object"].includes(name)) continue;
      try {
        attempt(target);
      } catch (error) {
        refused.push(`${name}: ${error.name}`);
      }
      await pause();
    }
  }
  await post("attacked", { address: location.href, heading: document.querySelector("h1").textContent, refused });
})();
