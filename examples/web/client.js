// @ts-check
/**
 * Submits tasks and polls them: all that a page needs of the API, and nothing of the page.
 *
 * Whatever happens comes back as a value. An answer that the contract documents is told by its `status`, with a body
 * of the documented type; everything else is a `Trouble`, whose `status` is null.
 *
 * @import { AcceptedTask, Answer, EndedTask, GenerateRequest, Operation, PendingTask } from "./types/api.js"
 * @import { paths } from "./types/openapi.js"
 */

/**
 * @typedef {object} Trouble
 * @property {null} status
 * @property {"network" | "broken-off" | "too-slow" | "not-json" | "undocumented"} problem
 * @property {string} detail what is known of it, for a developer
 *
 * @typedef {object} Times how long to wait, in seconds
 * @property {number} poll between two reads of a task
 * @property {number} longest for a task to end
 * @property {number} slow for an answer, until `onSlow` is called
 * @property {number} patience for an answer, until it is given up
 *
 * @typedef {Extract<Answer<"getTask">, { status: 401 | 404 }>} Refusal
 * @typedef {Extract<Answer<Operation>, { status: 500 }> | Trouble} Failure what another try may mend
 * @typedef {{ task: PendingTask } | { failure: Failure, retry: number, seconds: number }} News
 * @typedef {{ how: "ended", task: EndedTask } | { how: "timeout" }
 *     | { how: "refused", answer: Refusal } | { how: "failed", failure: Failure }} Ending
 */

/**
 * `poll` and `longest` are the documented ones, the others this client's own choice.
 *
 * @type {Times}
 */
export const TIMES = { poll: 2, longest: 180, slow: 5, patience: 30 };

/** How many times a read is tried again before it is given up. */
export const RETRIES = 4;

/**
 * For each documented status, whether a body is enough like the documented one for nobody to stumble over it.
 *
 * @template {Operation} O
 * @typedef {Record<Answer<O>["status"], (body: Record<string, any>) => boolean>} Shapes
 */

const ERROR = (/** @type {Record<string, any>} */ body) => typeof body["error"] === "string";

/** @type {Shapes<"generateImage">} */
const SUBMITTED = {
    200: (body) => typeof body["taskId"] === "string",
    400: (body) => typeof body["details"]?.fieldErrors === "object" && Array.isArray(body["details"].formErrors),
    401: ERROR,
    402: (body) => typeof body["required"] === "number",
    500: ERROR,
};

/** @type {Shapes<"getTask">} */
const READ = {
    200: (body) =>
        body["status"] === 0 ||
        (body["status"] === 1 && Array.isArray(body["imageUrls"])) ||
        (body["status"] === 2 && typeof body["errorCode"] === "string"),
    401: ERROR,
    404: ERROR,
    500: ERROR,
};

export class Client {
    /**
     * @param {string} api where the API is, such as http://localhost:8000
     * @param {string} key
     * @param {{ times?: Times, onSlow?: () => void }} [options]
     */
    constructor(api, key, { times = TIMES, onSlow = () => {} } = {}) {
        this.api = api.replace(/\/+$/, "");
        this.key = key;
        this.times = times;
        this.onSlow = onSlow;
    }

    /**
     * Submits a task, once: submissions are not idempotent, so whether to send one again is the user's to say.
     *
     * @param {GenerateRequest} request
     * @returns {Promise<Answer<"generateImage"> | Trouble>}
     */
    submit(request) {
        /** @type {keyof paths} */
        const path = "/api/ai/image/generate";
        const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request) };
        return this.#call(path, init, SUBMITTED);
    }

    /**
     * @param {AcceptedTask["taskId"]} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Answer<"getTask"> | Trouble>}
     */
    read(id, signal) {
        /** @type {keyof paths} */
        const path = "/api/ai/tasks/{id}";
        return this.#call(path.replace("{id}", encodeURIComponent(id)), { cache: "no-store" }, READ, signal);
    }

    /**
     * Reads a task until it has ended, cannot be read, or the longest wait is over.
     *
     * Reading costs nothing and changes nothing, so a read that fails is tried again, each time after twice the wait.
     * Unknown credentials and unknown tasks are not: they would be unknown again.
     *
     * @param {AcceptedTask["taskId"]} id
     * @param {{ signal: AbortSignal, onNews: (news: News) => void }} options
     * @returns {Promise<Ending>} rejected only when the signal is aborted
     */
    async follow(id, { signal, onNews }) {
        const deadline = performance.now() + this.times.longest * 1000;
        let retry = 0;
        for (;;) {
            const answer = await this.read(id, signal);
            let seconds = this.times.poll;
            if (answer.status === 200) {
                if (answer.body.status !== 0) return { how: "ended", task: answer.body };
                retry = 0;
                onNews({ task: answer.body });
            } else {
                if (answer.status === 401 || answer.status === 404) return { how: "refused", answer };
                if (retry === RETRIES) return { how: "failed", failure: answer };
                seconds *= 2 ** retry;
                retry += 1;
                onNews({ failure: answer, retry, seconds });
            }
            const left = deadline - performance.now();
            if (left <= 0) return { how: "timeout" };
            await sleep(Math.min(seconds * 1000, left), signal);
        }
    }

    /**
     * @template {Operation} O
     * @param {string} path
     * @param {RequestInit} init
     * @param {Shapes<O>} shapes
     * @param {AbortSignal} [stop]
     * @returns {Promise<Answer<O> | Trouble>}
     */
    async #call(path, init, shapes, stop) {
        const patience = new AbortController();
        const signal = stop ? AbortSignal.any([stop, patience.signal]) : patience.signal;
        const slow = setTimeout(this.onSlow, this.times.slow * 1000);
        const giveUp = setTimeout(() => patience.abort(), this.times.patience * 1000);
        const headers = new Headers(init.headers);
        if (this.key !== "") headers.set("Authorization", `Bearer ${this.key}`);

        /** @type {Response | undefined} */
        let response;
        let text;
        try {
            response = await fetch(this.api + path, { ...init, headers, signal });
            text = await response.text();
        } catch (error) {
            stop?.throwIfAborted();
            if (patience.signal.aborted) return trouble("too-slow", `no whole answer in ${this.times.patience} s`);
            return trouble(response ? "broken-off" : "network", String(error));
        } finally {
            clearTimeout(slow);
            clearTimeout(giveUp);
        }

        const { status } = response;
        const began = `status ${status}, a body that begins with ${JSON.stringify(text.slice(0, 60))}`;
        let body;
        try {
            body = JSON.parse(text);
        } catch {
            return trouble("not-json", began);
        }
        const fits = /** @type {Record<number, Shapes<O>[Answer<O>["status"]] | undefined>} */ (shapes)[status];
        if (typeof body !== "object" || body === null || !fits?.(body)) return trouble("undocumented", began);
        return /** @type {Answer<O>} */ ({ status, body });
    }
}

/**
 * @param {Trouble["problem"]} problem
 * @param {string} detail
 * @returns {Trouble}
 */
function trouble(problem, detail) {
    return { status: null, problem, detail };
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejected when the signal is aborted
 */
function sleep(milliseconds, signal) {
    return new Promise((resolve, reject) => {
        const abort = () => {
            clearTimeout(timer);
            reject(signal.reason);
        };
        const timer = setTimeout(() => {
            signal.removeEventListener("abort", abort);
            resolve();
        }, milliseconds);
        signal.addEventListener("abort", abort, { once: true });
    });
}
