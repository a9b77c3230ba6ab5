// @ts-check
/**
 * The form of a task: what its fields offer, and the request that it makes.
 *
 * @import { GenerateRequest, Model, RequestFor } from "./types/api.js"
 * @import { Offers } from "./types/offers.js"
 */

/** @type {Offers["gpt-image-2"]["outputFormat"]} */
const FORMATS = { png: true, jpeg: true, webp: true };

/** @type {Offers} */
const OFFERS = {
    "gpt-image-2": {
        aspectRatio: {
            auto: true,
            "1:1": true,
            "16:9": true,
            "9:16": true,
            "4:3": true,
            "3:4": true,
            "3:2": true,
            "2:3": true,
            "4:5": true,
            "5:4": true,
            "21:9": true,
        },
        resolution: null,
        outputFormat: FORMATS,
    },
    "nano-banana-2": {
        aspectRatio: "any text",
        resolution: { "1K": true, "2K": true, "4K": true },
        outputFormat: FORMATS,
    },
    "nano-banana-pro": {
        aspectRatio: "any text",
        resolution: { "2K": true, "4K": true },
        outputFormat: FORMATS,
    },
    "google/nano-banana": {
        aspectRatio: "any text",
        resolution: null,
        outputFormat: FORMATS,
    },
};

/** The option of a field that is left out of the request. */
const LEFT_OUT = new Option("left out", "");

/** @param {HTMLFormElement} form */
export function prepareForm(form) {
    const model = select(form, "model");
    model.replaceChildren(...Object.keys(OFFERS).map((name) => new Option(name)));
    model.addEventListener("change", () => showFields(form));
    showFields(form);
}

/**
 * Shows the fields that the chosen model has. A field that is hidden is disabled too, so the form leaves it out.
 *
 * @param {HTMLFormElement} form
 */
function showFields(form) {
    const offers = OFFERS[modelOf(form)];
    for (const [name, offer] of Object.entries(offers)) {
        for (const field of form.querySelectorAll(`[data-field="${name}"]`)) {
            const control = field.querySelector("select, input");
            if (!(field instanceof HTMLElement && control && "disabled" in control)) continue;
            const fits = control instanceof HTMLSelectElement ? typeof offer === "object" : offer === "any text";
            field.hidden = offer === null || !fits;
            control.disabled = field.hidden;
            if (control instanceof HTMLSelectElement && typeof offer === "object" && offer !== null) {
                const { value } = control;
                control.replaceChildren(LEFT_OUT.cloneNode(true), ...Object.keys(offer).map((text) => new Option(text)));
                control.value = Object.hasOwn(offer, value) ? value : "";
            }
        }
    }
}

/**
 * What the form says, with nothing judged: that is the API's part, and its messages are shown beside the fields.
 *
 * @param {HTMLFormElement} form
 * @returns {GenerateRequest}
 */
export function readRequest(form) {
    const data = new FormData(form);
    const text = (/** @type {string} */ name) => String(data.get(name) ?? "");
    const urls = text("inputImageUrls").split(/\s+/).filter(Boolean);
    const references = urls.length > 0 ? urls : undefined;

    const model = modelOf(form);
    const common = { prompt: text("prompt"), ...given("outputFormat", listed(FORMATS, text("outputFormat"))) };
    switch (model) {
        case "gpt-image-2":
            return {
                model,
                ...common,
                ...given("aspectRatio", listed(OFFERS[model].aspectRatio, text("aspectRatio"))),
                // The type counts the references, as the contract does; here the API counts them.
                ...given("inputImageUrls", /** @type {RequestFor<"gpt-image-2">["inputImageUrls"]} */ (references)),
            };
        case "nano-banana-2":
            return {
                model,
                ...common,
                ...given("aspectRatio", text("aspectRatio")),
                ...given("resolution", listed(OFFERS[model].resolution, text("resolution"))),
                ...given("inputImageUrls", references),
            };
        case "nano-banana-pro":
            return {
                model,
                ...common,
                ...given("aspectRatio", text("aspectRatio")),
                ...given("resolution", listed(OFFERS[model].resolution, text("resolution"))),
                ...given("inputImageUrls", references),
            };
        case "google/nano-banana":
            return {
                model,
                ...common,
                ...given("aspectRatio", text("aspectRatio")),
                ...given("inputImageUrls", references),
            };
    }
}

/**
 * Shows messages beside the fields that they are about.
 *
 * @param {HTMLFormElement} form
 * @param {Record<string, string[]>} fieldErrors
 * @returns {string[]} the messages about fields that the form does not show
 */
export function showFieldErrors(form, fieldErrors) {
    const shown = new Set();
    for (const field of form.querySelectorAll("[data-field]:not([hidden])")) {
        const name = field.getAttribute("data-field") ?? "";
        const messages = fieldErrors[name] ?? [];
        shown.add(name);
        field.querySelector(".errors")?.replaceChildren(...messages.map(item));
        field.querySelector("input, select, textarea")?.setAttribute("aria-invalid", String(messages.length > 0));
    }
    const first = form.querySelector("[data-field]:not([hidden]) [aria-invalid=true]");
    if (first instanceof HTMLElement) first.focus();
    return Object.entries(fieldErrors)
        .filter(([name]) => !shown.has(name))
        .flatMap(([name, messages]) => messages.map((message) => `${name}: ${message}`));
}

/** @param {string} text */
export function item(text) {
    const element = document.createElement("li");
    element.textContent = text;
    return element;
}

/**
 * @param {HTMLFormElement} form
 * @returns {Model}
 */
function modelOf(form) {
    const model = listed(OFFERS, select(form, "model").value);
    if (model === undefined) throw new Error("the form has no model that the contract knows");
    return model;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function select(form, name) {
    const control = form.elements.namedItem(name);
    if (!(control instanceof HTMLSelectElement)) throw new Error(`the form has no list ${name}`);
    return control;
}

/**
 * A text as one of the keys of a record, if it is one.
 *
 * @template {string} Key
 * @param {Record<Key, unknown>} record
 * @param {string} text
 */
function listed(record, text) {
    return Object.hasOwn(record, text) ? /** @type {Key} */ (text) : undefined;
}

/**
 * A field of a request, or nothing where it has no value.
 *
 * @template {string} Name
 * @template Value
 * @param {Name} name
 * @param {Value | undefined} value
 */
function given(name, value) {
    return /** @type {{ [N in Name]?: Value }} */ (value === undefined || value === "" ? {} : { [name]: value });
}
