// @ts-check
/**
 * The page: shows what becomes of a task, and tells every way it can go wrong from the others.
 *
 * `data-state` of the main element names the state, `data-problem` the kind of trouble with an answer.
 *
 * @import { Answer, EndedTask } from "./types/api.js"
 * @import { Ending, Failure, News, Times, Trouble } from "./client.js"
 */
import { Client, RETRIES, TIMES } from "./client.js";
import { item, prepareForm, readRequest, showFieldErrors } from "./form.js";

/**
 * @typedef {"idle" | "submitting" | "pending" | "completed" | "failed" | "timeout"} Course
 * @typedef {"invalid" | "unauthenticated" | "insufficient" | "not-found" | "server-error" | "unreachable"} Refusal
 */

const main = need("main", HTMLElement);
const form = need("form", HTMLFormElement);
const api = need("#api", HTMLInputElement);
const key = need("#key", HTMLInputElement);
const formErrors = need("#form-errors", HTMLElement);
const submit = need("#submit", HTMLButtonElement);
const headline = need("#headline", HTMLElement);
const detail = need("#detail", HTMLElement);
const slow = need("#slow", HTMLElement);
const progress = need("progress", HTMLProgressElement);
const again = need("#again", HTMLButtonElement);
const stop = need("#stop", HTMLButtonElement);
const pictures = need("#pictures", HTMLElement);
const details = need("details", HTMLDetailsElement);
const raw = need("#answer", HTMLElement);

const query = new URLSearchParams(location.search);

/** The documented times; each can be shortened by the query parameter of its name, for tests. */
const times = /** @type {Times} */ (
    Object.fromEntries(Object.entries(TIMES).map(([name, seconds]) => [name, Number(query.get(name)) || seconds]))
);

/** The task that is shown, and what ends the reading of it. */
let taskId = "";
let following = new AbortController();

prepareForm(form);
remember(api, "http://localhost:8000");
remember(key, "");
form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (main.dataset["state"] !== "submitting" && main.dataset["state"] !== "pending") send();
});
again.addEventListener("click", () => follow(taskId));
stop.addEventListener("click", () => {
    following.abort();
    show("idle", "You stopped waiting", `Task ${taskId} goes on without you. Reading it again costs nothing.`);
});
addEventListener("hashchange", openTask);
openTask();

/** Follows the task that the address names: after a reload no task is lost, and none is paid twice. */
function openTask() {
    const id = new URLSearchParams(location.hash.slice(1)).get("task");
    if (id) follow(id);
}

/** @returns {Client | null} null where what was entered can be no connection, and the page says so */
function connect() {
    /** @type {Record<string, string[]>} */
    const faults = {};
    if (!/^https?:$/.test(URL.canParse(api.value) ? new URL(api.value).protocol : "")) {
        faults["api"] = ["The base URL must begin with http:// or https://"];
    }
    if (!/^[\x21-\x7e]*$/.test(key.value)) faults["key"] = ["A key has no spaces, and no letters beyond ASCII"];
    formErrors.replaceChildren();
    showFieldErrors(form, faults);
    if (Object.keys(faults).length > 0) {
        show("invalid", "This can be no connection", "Nothing was sent.");
        return null;
    }
    const onSlow = () => {
        main.dataset["slow"] = "";
        slow.textContent = "The answer takes long. Still waiting for it.";
    };
    return new Client(api.value, key.value, { times, onSlow });
}

async function send() {
    const client = connect();
    if (client === null) return;
    following.abort();
    setTask("");
    show("submitting", "Submitting");
    const answer = await client.submit(readRequest(form));
    showAnswer(answer);
    const free = "Nothing was charged.";
    switch (answer.status) {
        case 200:
            follow(answer.body.taskId);
            break;
        case 400: {
            const { formErrors: messages, fieldErrors } = answer.body.details;
            show("invalid", answer.body.error, `${free} What to mend is said beside the fields.`);
            const elsewhere = showFieldErrors(form, fieldErrors);
            formErrors.replaceChildren(...[...messages, ...elsewhere].map(item));
            break;
        }
        case 401:
            show("unauthenticated", "The key is missing or not valid", free);
            key.focus();
            break;
        case 402:
            show(
                "insufficient",
                `Not enough credits: this costs ${answer.body.required}`,
                `${free} The account has fewer than ${answer.body.required} credits.`,
            );
            break;
        default:
            showFailure(
                answer,
                "The task may have been accepted and paid all the same. Submissions are not idempotent, so it is not " +
                    "sent again by itself: if you send it again, you may pay twice.",
            );
            submit.textContent = "Send again, and perhaps pay twice";
    }
}

/** @param {string} id */
async function follow(id) {
    const client = connect();
    if (client === null) return;
    following.abort();
    following = new AbortController();
    const { signal } = following;
    setTask(id);
    showNews(null);
    /** @type {Ending} */
    let ending;
    try {
        ending = await client.follow(id, { signal, onNews: showNews });
    } catch (error) {
        if (signal.aborted) return; // another task is shown by now, or none
        throw error;
    }
    switch (ending.how) {
        case "ended":
            showEnd(ending.task);
            break;
        case "timeout":
            show(
                "timeout",
                `Not ended after ${times.longest} seconds`,
                `That is the longest wait. Task ${id} may still end: read it again later, which costs nothing.`,
            );
            break;
        case "refused":
            if (ending.answer.status === 404) show("not-found", "This key has no such task", `Task ${id}.`);
            else show("unauthenticated", "The key is missing or not valid", `Task ${id} was not read.`);
            showAnswer(ending.answer);
            break;
        case "failed":
            showFailure(
                ending.failure,
                `Task ${id} could not be read, in ${RETRIES} retries. Reading it again costs nothing.`,
            );
            showAnswer(ending.failure);
    }
}

/** @param {News | null} news null before the first read */
function showNews(news) {
    const waiting = `Task ${taskId}.`;
    if (news === null) show("pending", "The task is at work", waiting);
    else if ("task" in news) {
        show("pending", "The task is at work", `${waiting} It took ${news.task.creditsUsed} credits.`);
        showAnswer({ status: 200, body: news.task });
    } else {
        const next = `Trying again in ${news.seconds} s, retry ${news.retry} of ${RETRIES}.`;
        show("pending", "The task could not be read", `${describe(news.failure)}. ${next}`, problemOf(news.failure));
        showAnswer(news.failure);
    }
}

/** @param {EndedTask} task */
function showEnd(task) {
    if (task.status === 1) {
        show("completed", "Completed", `Task ${task.taskId}. It cost ${task.creditsUsed} credits.`);
        pictures.replaceChildren(...task.imageUrls.map((url) => picture(url, task.prompt)));
    } else {
        const credits = task.creditsRefunded
            ? `The ${task.creditsUsed} credits were refunded.`
            : `The ${task.creditsUsed} credits are not back yet; they will be shortly.`;
        show("failed", `Failed: ${task.errorCode}`, `${task.errorMessage} ${credits} Task ${task.taskId}.`);
        again.hidden = task.creditsRefunded;
    }
    showAnswer({ status: 200, body: task });
}

/**
 * @param {Failure} failure
 * @param {string} consequence
 */
function showFailure(failure, consequence) {
    const state = failure.status === null ? "unreachable" : "server-error";
    show(state, describe(failure), consequence, problemOf(failure));
}

/** @param {Failure} failure */
function describe(failure) {
    if (failure.status !== null) return `The server had an error: ${failure.body.error}`;
    switch (failure.problem) {
        case "network":
            return "No answer: the server is not there, hung up, or does not allow this page";
        case "broken-off":
            return "The answer broke off in the middle";
        case "too-slow":
            return `No whole answer in ${times.patience} seconds`;
        case "not-json":
            return "The answer is not JSON";
        case "undocumented":
            return "The answer is none that the contract knows";
    }
}

/** @param {Failure} failure */
function problemOf(failure) {
    return failure.status === null ? failure.problem : "";
}

/**
 * Goes to a state: what belongs to the one before is gone.
 *
 * @param {Course | Refusal} state
 * @param {string} title
 * @param {string} [text]
 * @param {string} [problem]
 */
function show(state, title, text = "", problem = "") {
    main.dataset["state"] = state;
    delete main.dataset["slow"];
    delete main.dataset["problem"];
    if (problem !== "") main.dataset["problem"] = problem;
    // Only what changes: a screen reader reads out whatever is written here, also the same text again.
    for (const [element, content] of /** @type {const} */ ([[headline, title], [detail, text], [slow, ""]])) {
        if (element.textContent !== content) element.textContent = content;
    }
    const busy = state === "submitting" || state === "pending";
    submit.textContent = "Generate";
    submit.setAttribute("aria-disabled", String(busy));
    progress.hidden = !busy;
    const hadFocus = document.activeElement;
    again.hidden = busy || taskId === "" || state === "completed" || state === "failed";
    stop.hidden = state !== "pending";
    if (hadFocus instanceof HTMLElement && hadFocus.hidden) headline.focus();
    pictures.replaceChildren();
    if (state === "submitting" || state === "idle") details.hidden = true;
}

/** @param {Answer<"generateImage"> | Answer<"getTask"> | Trouble} answer */
function showAnswer(answer) {
    details.hidden = false;
    raw.textContent = answer.status === null ? answer.detail : `${answer.status}\n${JSON.stringify(answer.body, null, 2)}`;
}

/**
 * @param {string} url
 * @param {string} prompt
 */
function picture(url, prompt) {
    const image = new Image();
    image.alt = prompt;
    image.src = url;
    const figure = document.createElement("figure");
    figure.append(image);
    image.addEventListener("error", () => figure.append(`The picture could not be loaded from ${url}`));
    return figure;
}

/** @param {string} id */
function setTask(id) {
    taskId = id;
    const hash = id === "" ? "" : `#${new URLSearchParams({ task: id })}`;
    history.replaceState(null, "", location.pathname + location.search + hash);
}

/**
 * Fills an input from the query, or else from what this browser keeps, and keeps what is entered.
 *
 * @param {HTMLInputElement} input
 * @param {string} otherwise
 */
function remember(input, otherwise) {
    const name = `image-tasks.${input.name}`;
    let kept = null;
    try {
        kept = localStorage.getItem(name);
        input.addEventListener("change", () => localStorage.setItem(name, input.value));
    } catch {
        // A browser may keep nothing; then it is typed each time.
    }
    input.value = query.get(input.name) ?? kept ?? otherwise;
}

/**
 * @template {Element} E
 * @param {string} selector
 * @param {new () => E} type
 * @returns {E}
 */
function need(selector, type) {
    const found = document.querySelector(selector);
    if (!(found instanceof type)) throw new Error(`index.html has no ${selector}`);
    return found;
}
