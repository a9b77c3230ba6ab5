// What the vendored scripts leave to the page: typing and focus survive a refresh, and trouble is said aloud.
"use strict";

const say = (text) => { document.getElementById("status").textContent = text; };

// ---- a refresh leaves alone what somebody has typed, chosen or opened

const isChanged = (node) => {
  if (node instanceof HTMLSelectElement) {
    return [...node.options].some((option) => option.selected !== option.defaultSelected);
  }
  return node instanceof HTMLInputElement && node.type !== "hidden" && node.value !== node.defaultValue;
};

Object.assign(Idiomorph.defaults.callbacks, {
  beforeNodeMorphed: (old) => !isChanged(old),
  beforeAttributeUpdated: (name, node) => !(name === "open" && node instanceof HTMLDetailsElement),
});

// ---- a form that was obeyed is empty and closed again

document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, requestConfig, xhr } = event.detail;
  const isPage = (xhr.getResponseHeader("content-type") || "").startsWith("text/html");
  if (!isPage) {
    event.detail.shouldSwap = false;
    say(`The mock answered ${xhr.status}: ${xhr.responseText.slice(0, 200)}`);
  } else if (requestConfig.elt instanceof HTMLFormElement && xhr.status < 400) {
    requestConfig.elt.reset();
    requestConfig.elt.closest("details")?.removeAttribute("open");
  }
  event.detail.isError = false;
});

// ---- focus stays where it was, or as near as there is something left

let near = [];

document.addEventListener("focusin", (event) => {
  near = [];
  for (let node = event.target; node instanceof Element; node = node.parentElement) {
    if (node.id) near.push(node.id);
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  const inspected = event.detail.requestConfig?.elt?.id?.startsWith("exchange-");
  if (inspected) {
    document.getElementById("inspector")?.focus();
  } else if (document.activeElement === document.body && near.length) {
    const left = near.map((id) => document.getElementById(id)).find((node) => node?.matches("a, button, input, select, summary, [tabindex]"));
    left?.focus({ preventScroll: true });
  }
});

// ---- the connection

document.addEventListener("htmx:sendError", () => say("The mock does not answer. Is it still running?"));
document.addEventListener("htmx:sseError", () => {
  if (document.body.dataset.live === "live") say("The connection to the mock is lost.");
  document.body.dataset.live = "lost";
});
document.addEventListener("htmx:sseOpen", () => {
  if (document.body.dataset.live === "lost") say("");
  document.body.dataset.live = "live";
});
